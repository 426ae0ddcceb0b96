"""``convert``: compute masks and write records."""

import argparse
import os
import sys
from typing import Any

from mask_generation.methods import DEFAULT, METHODS


def add(commands: Any) -> None:
    """Describes the command's arguments to a parser."""
    parser = commands.add_parser(
        "convert", help="compute masks and write records", inherited_absl_flags=None
    )
    parser.add_argument("photographs", help="folder of images, flat or with class folders")
    parser.add_argument("out", help="folder of records to make")
    parser.add_argument(
        "--method",
        default=DEFAULT,
        choices=sorted(METHODS),
        help=f"how masks are computed (default: {DEFAULT})",
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    parser.add_argument(
        "--longest-side", type=int, help="shrink larger photographs to this many pixels"
    )
    parser.add_argument(
        "--per-shard", type=int, default=1000, help="photographs per file (default: 1000)"
    )
    parser.add_argument(
        "--degenerate",
        default="skip",
        choices=("skip", "keep"),
        help="what to do with photographs without a usable mask (default: skip)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an older OUT")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> str:
    """Converts, names what was left out on the standard error, and sums up."""
    from mask_generation.converter import convert

    manifest = convert(
        arguments.photographs,
        arguments.out,
        method=arguments.method,
        workers=arguments.workers,
        photographs_per_shard=arguments.per_shard,
        longest_side=arguments.longest_side,
        degenerate=arguments.degenerate,
        overwrite=arguments.overwrite,
    )
    for skip in manifest.skipped[:20]:
        print(f"left out: {skip.name}: {skip.reason}", file=sys.stderr)
    if len(manifest.skipped) > 20:
        print(f"left out: {len(manifest.skipped) - 20} more, see the manifest", file=sys.stderr)
    classes = f", {len(manifest.classes)} classes" if manifest.classes else ""
    return f"{manifest.records} records{classes}, {len(manifest.skipped)} left out: {arguments.out}"
