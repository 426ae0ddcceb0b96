"""What runs in a worker process."""

import contextlib
import pickle
import traceback
from multiprocessing.connection import Connection

import cv2

from mask_generation.workers.limits import Limits, is_out_of_memory


def answer_all(pipe: Connection, limits: Limits) -> None:
    """Computes results until the other end of the pipe is closed.

    Args:
        pipe: Where pickled pairs of a function and its argument come from, and pickled pairs of
            result and error go to.
        limits: What a result may take.
    """
    limits.hold_memory()
    # OpenCV has its own threads, whose number cannot be set by an environment variable.
    cv2.setNumThreads(1)
    with contextlib.suppress(EOFError, OSError):
        pipe.send_bytes(b"ready")
        while True:
            question = pipe.recv_bytes()
            try:
                function, source = pickle.loads(question)
                answer = pickle.dumps((function(source), None))
            except BaseException as error:
                if is_out_of_memory(error):
                    error = MemoryError(str(error))
                error.add_note(f"In a worker process: {traceback.format_exc()}")
                answer = pickle.dumps((None, _that_can_be_sent(error)))
            pipe.send_bytes(answer)


def _that_can_be_sent(error: BaseException) -> BaseException:
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(traceback.format_exception(error)))
