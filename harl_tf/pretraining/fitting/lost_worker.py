"""What is said when another worker has ended: training together, none can go on alone."""

import contextlib
import re
from collections.abc import Iterator

import tensorflow as tf


class WorkerLostError(RuntimeError):
    """Another worker has ended, and with it the training of all; the message says what to do."""


@contextlib.contextmanager
def told_of_lost_workers() -> Iterator[None]:
    """Turns the error of a collective operation that lacks a worker into a sentence.

    Raises:
        WorkerLostError: If the block failed because another worker has ended.

    Example:
        >>> with told_of_lost_workers():
        ...     raise tf.errors.UnavailableError(None, None, "Collective ops is aborted by: ...")
        Traceback (most recent call last):
        harl_tf.pretraining.fitting.lost_worker.WorkerLostError: Another worker has ended...
    """
    try:
        yield
    except tf.errors.OpError as error:
        if "Collective ops is aborted" not in error.message:
            raise
        lost = ", ".join(sorted(set(re.findall(r"(?<=task:)\d+(?=\n)", error.message))))
        raise WorkerLostError(
            f"Another worker has ended{f', number {lost}' if lost else ''}, so this one cannot go "
            "on. Its own output says why. Start all of them again; with a Checkpoint they go on "
            "from the last saved state."
        ) from None
