"""Command line: ``python -m mask_generation {convert,verify,preview,evaluate,train-drfi}``."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from mask_generation.commands import line
from mask_generation.interrupts import end_at_once

# Does not affect what TensorFlow logs while its libraries are being loaded.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_DESCRIPTION = "Photographs to TFRecords of image and foreground mask, without labels."
_EPILOG = (
    "python -m mask_generation COMMAND --help explains a command. --flagfile=FILE reads arguments "
    "from a file, one per line."
)


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Reads the command line.

    Args:
        argv: The program's name and its arguments.

    Returns:
        The arguments; their ``run`` is the function that does the work.
    """
    from mask_generation.commands import convert, evaluate, preview, train_drfi, verify

    parser = line.Parser(prog="python -m mask_generation", description=_DESCRIPTION, epilog=_EPILOG)
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", title="commands"
    )
    parsers = {
        "convert": convert.add(commands),
        "verify": verify.add(commands),
        "preview": preview.add(commands),
        "evaluate": evaluate.add(commands),
        "train-drfi": train_drfi.add(commands),
    }
    return line.read(parser, parsers, argv)


def main(arguments: argparse.Namespace) -> int:
    """Runs a command; errors that a user can cause give one line and exit code 1."""
    return line.run(
        lambda: print(arguments.run(arguments)),
        _users_errors,
        "Interrupted; nothing was written.",
    )


def _users_errors() -> Mapping[type[BaseException], int]:
    """Errors that a user can cause. Imported only after a failure: TensorFlow takes seconds."""
    from harl_tf.data.manifest import RecordsError
    from mask_generation.conversion.convert import ConversionError
    from mask_generation.evaluation.truth import EvaluationError
    from mask_generation.networks.opening import ModelError
    from mask_generation.previews.preview import PreviewError

    users = ConversionError, EvaluationError, ModelError, PreviewError, RecordsError, OSError
    return dict.fromkeys(users, 1)


if __name__ == "__main__":
    end_at_once()  # while it imports, and in the seconds in which TensorFlow is unloaded
    sys.exit(main(parse_arguments(sys.argv)))
