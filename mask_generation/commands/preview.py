"""``preview``: draw a contact sheet."""

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Describes the command's arguments to a parser."""
    parser = commands.add_parser("preview", help="draw a contact sheet", inherited_absl_flags=None)
    parser.add_argument("records", help="folder of records")
    parser.add_argument("--out", help="PNG to write (default: RECORDS/preview.png)")
    parser.add_argument("--count", type=_natural, default=48, help="pictures (default: 48)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> str:
    """Draws and names the file."""
    from mask_generation.contact_sheet import preview

    return str(preview(arguments.records, arguments.out, arguments.count))


def _natural(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, received {value}")
    return value
