"""``verify``: check records to the last byte, mend them, or do without what is damaged."""

import argparse
import os
import pathlib
import sys
from typing import Any

from mask_generation.commands.line import Parser, natural
from mask_generation.inputs.file_names import printable
from mask_generation.interrupts import loading

_DESCRIPTION = """\
Reads every byte of RECORDS and compares it with the manifest. --deep also decodes every record, for
records that somebody else made.
"""

_EPILOG = """\
examples:
  python -m mask_generation verify records
  python -m mask_generation verify records --repair photos
  python -m mask_generation verify records --quarantine
"""


def add(commands: Any) -> Parser:
    """Adds the command's parser, and returns it."""
    parser = commands.add_parser(
        "verify",
        help="check records to the last byte",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("records", metavar="RECORDS", help="folder of records")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--deep", action="store_true", help="decode every image and mask, too")
    what.add_argument(
        "--repair",
        nargs="+",
        metavar="PHOTOS",
        help="make missing and damaged files again from the photographs that RECORDS were made of",
    )
    what.add_argument(
        "--quarantine",
        action="store_true",
        help="list damaged shards in a file, so that they are not read",
    )
    again = parser.add_argument_group("with --repair")
    again.add_argument("--masks", metavar="MASKS", help="your own masks, as for convert")
    again.add_argument("--model", metavar="MODEL", help="model of a method that needs one")
    again.add_argument(
        "--workers",
        type=natural,
        default=os.cpu_count() or 1,
        metavar="COUNT",
        help="processes (default: all cores)",
    )
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> str:
    """Verifies and returns a summary."""
    with loading():
        from harl_tf.data.manifest import QUARANTINE, Quarantine
        from mask_generation.conversion.checking.quarantine import quarantine
        from mask_generation.conversion.checking.repair import repair
        from mask_generation.conversion.checking.verify import verify

    if arguments.repair:
        again = repair(
            arguments.records,
            arguments.repair,
            arguments.masks,
            arguments.model,
            arguments.workers,
        )
        for file in again:
            print(f"made again: {printable(file)}", file=sys.stderr)
    elif arguments.quarantine:
        quarantine(arguments.records)
    folder = pathlib.Path(arguments.records)
    if (kept_out := Quarantine.read(folder)) is not None:
        for file, wrong in kept_out.shards.items():
            print(f"in quarantine: {printable(file)} {printable(wrong)}", file=sys.stderr)
    manifest = verify(folder, arguments.deep)
    which, but = "all", ""
    if kept_out is not None:
        which, but = "the other", f" but for {len(kept_out.shards)} in {QUARANTINE}"
    return (
        f"Complete{but}: all records ({manifest.records}) in {which} shards "
        f"({len(manifest.shards)})."
    )
