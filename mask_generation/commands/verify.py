"""``verify``: check records to the last byte."""

import argparse
from typing import Any

from mask_generation.commands.line import Parser
from mask_generation.interrupts import loading


def add(commands: Any) -> Parser:
    """Adds the command's parser, and returns it."""
    parser = commands.add_parser("verify", help="check records to the last byte")
    parser.add_argument("records", metavar="RECORDS", help="folder of records")
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> str:
    """Verifies and returns a summary."""
    with loading():
        from mask_generation.conversion.verify import verify

    manifest = verify(arguments.records)
    return f"Complete: all records ({manifest.records}) in all shards ({len(manifest.shards)})."
