"""Runs a command and turns what a user can cause into one line and an exit code."""

import argparse
import sys

import tensorflow as tf

from harl_tf.callbacks import ResumeError
from harl_tf.commands.refusal import CommandError
from harl_tf.data import RecordsError
from harl_tf.export import ExportError
from harl_tf.runs import RunError
from mask_generation.commands import line

_REFUSED, _FAILED = 2, 1


def main(arguments: argparse.Namespace) -> int:
    """Runs a command.

    Args:
        arguments: As ``parse_arguments`` makes them.

    Returns:
        The exit code: 0, done; 2, refused before anything was trained; 1, failed under way; 130,
        interrupted.

    Example:
        >>> from harl_tf.commands import parse_arguments
        >>> main(parse_arguments(["harl_tf", "recipes"]))
        harl_100 ...
        0
    """
    return line.run(
        lambda: _run(arguments),
        lambda: {
            **dict.fromkeys((CommandError, RecordsError, ResumeError, RunError), _REFUSED),
            **dict.fromkeys((ExportError, FloatingPointError, OSError), _FAILED),
        },
        "Interrupted. The same command continues after the last saved epoch.",
    )


def _run(arguments: argparse.Namespace) -> None:
    try:
        arguments.run(arguments)
    except tf.errors.ResourceExhaustedError:
        print(
            "error: Out of memory. --accumulate splits a batch into parts; a smaller --batch-size, "
            "--image-size or --precision mixed_bfloat16 help, too.",
            file=sys.stderr,
        )
        raise SystemExit(_FAILED) from None
