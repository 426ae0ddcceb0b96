"""Reporting on standard error what a command left out."""

import sys
from collections.abc import Sequence

from mask_generation.inputs.file_names import printable
from mask_generation.left_out import by_reason

_SHOWN = 20


def print_left_out(left_out: Sequence[tuple[str, str]], where: str = "") -> None:
    """Prints a line for each photograph that was left out, up to a limit, and of more the reasons.

    Args:
        left_out: Names and reasons; the first twenty are printed.
        where: Where the others are listed, in words. Default: none.
    """
    for name, reason in left_out[:_SHOWN]:
        print(f"left out: {printable(name)}: {printable(reason)}", file=sys.stderr)
    if len(left_out) > _SHOWN:
        rest = f"left out: {len(left_out) - _SHOWN} more"
        print(f"{rest}, {where}" if where else rest, file=sys.stderr)
        for reason, count in by_reason(left_out).items():
            print(f"left out: {count} in all: {printable(reason)}", file=sys.stderr)
