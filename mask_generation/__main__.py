"""Command line: ``python -m mask_generation {convert,verify,preview}``."""

import argparse
import os
import sys
from collections.abc import Sequence

from absl import app
from absl.flags import argparse_flags

# What TensorFlow logs while its libraries are loaded is written whatever this says.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_DESCRIPTION = "Photographs to TFRecords of image and foreground mask, without labels."


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Reads the command line.

    Args:
        argv: The program's name and its arguments.

    Returns:
        The arguments; ``run`` is the function that does the work.
    """
    from mask_generation.methods import METHODS

    parser = argparse_flags.ArgumentParser(
        prog="python -m mask_generation", description=_DESCRIPTION
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    convert = commands.add_parser(
        "convert", help="compute masks and write records", inherited_absl_flags=None
    )
    convert.add_argument("photographs", help="folder of images, flat or with class folders")
    convert.add_argument("out", help="folder of records to make")
    convert.add_argument(
        "--method",
        default="robust_background",
        choices=sorted(METHODS),
        help="how masks are computed (default: robust_background)",
    )
    convert.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    convert.add_argument(
        "--longest-side", type=int, help="shrink larger photographs to this many pixels"
    )
    convert.add_argument(
        "--per-shard", type=int, default=1000, help="photographs per file (default: 1000)"
    )
    convert.add_argument(
        "--degenerate",
        default="skip",
        choices=("skip", "keep"),
        help="what to do with photographs without a usable mask (default: skip)",
    )
    convert.add_argument("--overwrite", action="store_true", help="replace an older OUT")
    convert.set_defaults(run=_convert)

    verify = commands.add_parser(
        "verify", help="check records to the last byte", inherited_absl_flags=None
    )
    verify.add_argument("records", help="folder of records")
    verify.set_defaults(run=_verify)

    preview = commands.add_parser("preview", help="draw a contact sheet", inherited_absl_flags=None)
    preview.add_argument("records", help="folder of records")
    preview.add_argument("--out", help="PNG to write (default: RECORDS/preview.png)")
    preview.add_argument("--count", type=_natural, default=48, help="pictures (default: 48)")
    preview.set_defaults(run=_preview)
    return parser.parse_args(argv[1:])


def _natural(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, received {value}")
    return value


def _convert(arguments: argparse.Namespace) -> str:
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


def _verify(arguments: argparse.Namespace) -> str:
    from mask_generation.verifier import verify

    manifest = verify(arguments.records)
    return f"{manifest.records} records in {len(manifest.shards)} shards are whole."


def _preview(arguments: argparse.Namespace) -> str:
    from mask_generation.contact_sheet import preview

    return str(preview(arguments.records, arguments.out, arguments.count))


def main(arguments: argparse.Namespace) -> int:
    """Runs a command; every failure that a user can cause is one line and exit code 1."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:  # also while TensorFlow is being imported
        print("interrupted; nothing was written", file=sys.stderr)
        return 130


def _run(arguments: argparse.Namespace) -> int:
    from harl_tf.data.manifest import RecordsError
    from mask_generation.converter import ConversionError

    try:
        print(arguments.run(arguments))
    except (ConversionError, RecordsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    app.run(main, flags_parser=parse_arguments)
