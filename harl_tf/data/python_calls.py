"""NumPy functions inside a ``tf.data`` stream, called by TensorFlow's own threads.

Owns one guarantee: such calls stop before the interpreter exits. A stream that is still alive at
that point, for example because ``fit`` raised an error, would otherwise call Python during
shutdown, which aborts the process.
"""

import atexit
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

_QUIET_SECONDS = 0.1
_LONGEST_WAIT = 5.0


class _Gate:
    """Counts running calls, and refuses new ones once the interpreter is about to exit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running, self._closed, self._last = 0, False, 0.0
        atexit.register(self.close)

    def __enter__(self) -> None:
        with self._lock:
            self._last = time.monotonic()
            if self._closed:
                raise RuntimeError("The interpreter is about to exit.")
            self._running += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._running -= 1

    def close(self) -> None:
        """Waits until the stream's threads are idle: once refused, they fill its buffers and stop.

        A stream that nobody reads from makes no calls, so closing takes no time.
        """
        start = time.monotonic()
        with self._lock:
            self._closed = True
            quiet_since = self._last
        while time.monotonic() - start < _LONGEST_WAIT:
            with self._lock:
                at_rest = self._running == 0
                quiet_since = max(quiet_since, self._last)
            if at_rest and time.monotonic() - quiet_since > _QUIET_SECONDS:
                return
            time.sleep(0.01)


_gate = _Gate()


def numpy_call(
    function: Callable[..., Any], arguments: Sequence[tf.Tensor], types: Sequence[tf.DType]
) -> list[tf.Tensor]:
    """Calls a Python function of NumPy arrays inside a graph.

    Args:
        function: Arrays in, arrays out; must be deterministic. It should spend its time in code
            that releases the GIL, such as OpenCV or ``numba.njit(nogil=True)``, or it blocks other
            threads.
        arguments: Tensors.
        types: Dtypes of the results.

    Returns:
        The results; their static shapes are unknown.

    Example:
        >>> twice = [tf.int32, tf.int32]
        >>> doubled, squared = numpy_call(lambda x: (2 * x, x * x), [tf.constant([1, 3])], twice)
        >>> doubled.numpy().tolist(), squared.numpy().tolist()
        ([2, 6], [1, 9])
    """

    def guarded(*arrays: Any) -> Any:
        with _gate:
            return function(*arrays)

    results = tf.numpy_function(guarded, arguments, list(types), stateful=False)
    return list(results) if isinstance(results, list | tuple) else [results]
