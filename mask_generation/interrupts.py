"""Ctrl-C and SIGTERM: both are a ``KeyboardInterrupt``, and neither comes in the middle of a step.

Owns the handlers of these signals, not what is done about an interrupt.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def no_interrupt() -> Iterator[None]:
    """Puts off interrupts until the end of the block.

    It replaces the handlers instead of blocking the signals, because a signal that this thread
    blocks is delivered to another one, for which Python then interrupts this one.

    Example:
        >>> with no_interrupt():
        ...     written = True
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python interrupts only the main thread
        return
    received: list[tuple[int, FrameType | None]] = []
    before: dict[int, Any] = {number: signal.getsignal(number) for number in _SIGNALS}
    before = {number: handler for number, handler in before.items() if callable(handler)}
    with contextlib.ExitStack() as stack:
        for number, handler in before.items():
            stack.callback(signal.signal, number, handler)
            signal.signal(number, lambda *caught: received.append(caught))
        yield
    if received:
        number, frame = received[0]
        before[number](number, frame)


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[list[int]]:
    """Within the block, SIGTERM raises ``KeyboardInterrupt`` instead of ending the process.

    Returns:
        A context manager that gives a list, which is empty until the signal comes. SIGTERM stays as
        it is if it is already handled or ignored, or if this is not the main thread.

    Example:
        >>> with terminated_as_interrupted() as terminated:
        ...     terminated
        []
    """
    terminated: list[int] = []

    def interrupt(number: int, _: FrameType | None) -> None:
        terminated.append(number)
        raise KeyboardInterrupt

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield terminated
        return
    try:
        signal.signal(signal.SIGTERM, interrupt)
        yield terminated
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def end_at_once() -> None:
    """From here on these signals end the process without a traceback; for its last seconds.

    Signals that are ignored stay so.
    """
    for number in _SIGNALS:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
