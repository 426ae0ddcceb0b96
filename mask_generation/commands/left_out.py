"""Telling on the standard error what a command left out."""

import sys
from collections.abc import Sequence

_SHOWN = 20


def print_left_out(left_out: Sequence[tuple[str, str]], where: str = "") -> None:
    """Prints a line for each photograph left out, and how many more there are.

    Args:
        left_out: Names and reasons; the first twenty are printed.
        where: Words on where the others are listed. Default: none.
    """
    for name, reason in left_out[:_SHOWN]:
        print(f"left out: {name}: {reason}", file=sys.stderr)
    if len(left_out) > _SHOWN:
        rest = f"left out: {len(left_out) - _SHOWN} more"
        print(f"{rest}, {where}" if where else rest, file=sys.stderr)
