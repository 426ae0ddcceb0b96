"""What a command does not do, and what to do instead."""

import difflib
from collections.abc import Iterable


class CommandError(Exception):
    """A command cannot be carried out as it was given; the message says why, in one sentence."""


def nearest(name: str, names: Iterable[str]) -> str:
    """The names that may have been meant; empty if there are none.

    Example:
        >>> nearest("harl_10", ["harl_100", "harl_1000"])
        'harl_100 or harl_1000'
        >>> nearest("x", ["harl_100"])
        ''
    """
    return " or ".join(difflib.get_close_matches(name, list(names), n=3, cutoff=0.5))
