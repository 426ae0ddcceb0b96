"""Ctrl-C and SIGTERM: when they end a process, interrupt it, or have to wait.

Owns the handlers of these signals, not what is done about an interrupt.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator, Mapping
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
def interruptible() -> Iterator[list[int]]:
    """Within the block, SIGINT and SIGTERM raise ``KeyboardInterrupt``, and do not end the process.

    Returns:
        A context manager that gives the list of the signals that came. A signal that is already
        handled or ignored stays as it is, and so do both if this is not the main thread.

    Example:
        >>> with interruptible() as received:
        ...     received
        []
    """
    received: list[int] = []

    def interrupt(number: int, _: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    with _handlers({signal.SIG_DFL: interrupt}):
        yield received


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Within the block, which imports, SIGINT and SIGTERM end the process at once and silently.

    Importing runs callbacks, in which Python ignores a ``KeyboardInterrupt``; it may even leave a
    lock behind. For a command that has not begun.

    Example:
        >>> with loading():
        ...     import json
    """
    now = {signal.getsignal(number) for number in _SIGNALS}
    with _handlers({handler: signal.SIG_DFL for handler in now if callable(handler)}):
        yield


@contextlib.contextmanager
def _handlers(replaced: Mapping[Any, Any]) -> Iterator[None]:
    """Replaces handlers of the signals by others for a block, in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    with contextlib.ExitStack() as stack:
        for number, handler in before.items():
            if handler in replaced:
                stack.callback(signal.signal, number, handler)
                signal.signal(number, replaced[handler])
        yield


def end_at_once() -> None:
    """From here on these signals end the process at once, without a traceback.

    Signals that are ignored stay so.
    """
    for number in _SIGNALS:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
