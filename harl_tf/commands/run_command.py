"""Runs a command and turns expected errors into one line and an exit code."""

import argparse
import sys

import tensorflow as tf

from harl_tf.callbacks import ResumeError
from harl_tf.commands.refusal import CommandError
from harl_tf.data import RecordsError
from harl_tf.data.shard_files import told_of_damage
from harl_tf.export import ExportError
from harl_tf.pretraining import WorkerLostError
from harl_tf.runs import RunError
from mask_generation.commands import line
from mask_generation.lock import LockedError

_REFUSED, _FAILED = 2, 1

_INTERRUPTED = {
    "pretrain": "Interrupted. Run the same command to continue from the last saved state."
}
_OUT_OF_MEMORY = {
    "pretrain": "Use --accumulate to split batches into parts, a smaller --batch-size or "
    "--image-size, or --precision mixed_bfloat16."
}
"""What to do, by command."""


def main(arguments: argparse.Namespace) -> int:
    """Runs a command.

    Args:
        arguments: The result of ``parse_arguments``.

    Returns:
        The exit code: 0, done; 2, refused before training; 1, failed during the run; 130,
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
            **dict.fromkeys(
                (CommandError, LockedError, RecordsError, ResumeError, RunError), _REFUSED
            ),
            **dict.fromkeys((ExportError, FloatingPointError, OSError, WorkerLostError), _FAILED),
        },
        _INTERRUPTED.get(arguments.command, "Interrupted; nothing was written."),
    )


def _run(arguments: argparse.Namespace) -> None:
    try:
        with told_of_damage():
            arguments.run(arguments)
    except tf.errors.ResourceExhaustedError:
        advice = _OUT_OF_MEMORY.get(arguments.command, "Use a smaller --image-size.")
        print(f"error: Out of memory. {advice}", file=sys.stderr)
        raise SystemExit(_FAILED) from None
