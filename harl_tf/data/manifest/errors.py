"""What is said when a folder of records cannot be used.

Owns the error of everything that opens such a folder, and the advice for a damaged one.
"""

import pathlib
import shlex


class RecordsError(Exception):
    """A folder of records is missing, incomplete or damaged; the message says which and where."""


def how_to_mend(folder: str | pathlib.Path) -> str:
    """What to do about shards that are missing or damaged.

    Example:
        >>> how_to_mend("records")
        'Make it again: python -m mask_generation verify records --repair PHOTOS; or train without
        it: python -m mask_generation verify records --quarantine.'
    """
    verify = f"python -m mask_generation verify {shlex.quote(str(folder))}"
    return f"Make it again: {verify} --repair PHOTOS; or train without it: {verify} --quarantine."
