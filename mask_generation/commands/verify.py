"""``verify``: check records to the last byte."""

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Describes the command's arguments to a parser."""
    parser = commands.add_parser(
        "verify", help="check records to the last byte", inherited_absl_flags=None
    )
    parser.add_argument("records", metavar="RECORDS", help="folder of records")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> str:
    """Verifies and sums up."""
    from mask_generation.conversion.verify import verify

    manifest = verify(arguments.records)
    return f"Whole: all records ({manifest.records}) in all shards ({len(manifest.shards)})."
