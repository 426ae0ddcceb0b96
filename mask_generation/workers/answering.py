"""What runs in a worker process."""

import contextlib
import pickle
import traceback
from multiprocessing.connection import Connection

import cv2

from mask_generation.workers.limits import Limits, is_out_of_memory

BEGUN = b"begun"
"""Comes before each answer."""


def answer_all(pipe: Connection, limits: Limits) -> None:
    """Computes results until the other end of the pipe is closed.

    Args:
        pipe: Where pickled pairs of a function and its argument come from, and where ``BEGUN``
            goes when their modules are imported, and then a pickled pair of result and error.
        limits: What a result may take.
    """
    limits.hold_memory()
    # OpenCV has its own threads, whose number cannot be set by an environment variable.
    cv2.setNumThreads(1)
    with contextlib.suppress(EOFError, OSError):
        pipe.send_bytes(b"ready")
        while True:
            pipe.send_bytes(_answer(pipe, pipe.recv_bytes()))


def _answer(pipe: Connection, question: bytes) -> bytes:
    """The pickled result or error; says ``BEGUN`` before it is computed."""
    try:
        try:
            function, source = pickle.loads(question)  # imports what they need
        finally:
            pipe.send_bytes(BEGUN)
        return pickle.dumps((function(source), None))
    except BaseException as error:
        if is_out_of_memory(error):
            error = MemoryError(str(error))
        error.add_note(f"In a worker process: {traceback.format_exc()}")
        return pickle.dumps((None, _that_can_be_sent(error)))


def _that_can_be_sent(error: BaseException) -> BaseException:
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(traceback.format_exception(error)))
