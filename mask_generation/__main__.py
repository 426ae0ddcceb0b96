"""Command line: ``python -m mask_generation {convert,verify,preview,evaluate,train-drfi}``."""

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
    from mask_generation.commands import convert, evaluate, preview, train_drfi, verify

    parser = argparse_flags.ArgumentParser(
        prog="python -m mask_generation",
        description=_DESCRIPTION,
        epilog="python -m mask_generation COMMAND --help says more of each.",
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", title="commands"
    )
    for command in (convert, verify, preview, evaluate, train_drfi):
        command.add(commands)
    return parser.parse_args(argv[1:])


def main(arguments: argparse.Namespace) -> int:
    """Runs a command; every failure that a user can cause is one line and exit code 1."""
    try:
        return _run(arguments)
    except KeyboardInterrupt as interrupt:  # also while TensorFlow is being imported
        print(str(interrupt) or "interrupted; nothing was written", file=sys.stderr)
        return 130


def _run(arguments: argparse.Namespace) -> int:
    try:
        print(arguments.run(arguments))
    except Exception as error:
        if not isinstance(error, _users_errors()):
            raise
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _users_errors() -> tuple[type[Exception], ...]:
    """What a user can cause. Imported when something has failed: TensorFlow takes seconds."""
    from harl_tf.data.manifest import RecordsError
    from mask_generation.conversion.convert import ConversionError
    from mask_generation.evaluation.truth import EvaluationError
    from mask_generation.networks.opening import ModelError
    from mask_generation.previews.preview import PreviewError

    return ConversionError, EvaluationError, ModelError, PreviewError, RecordsError, OSError


if __name__ == "__main__":
    app.run(main, flags_parser=parse_arguments)
