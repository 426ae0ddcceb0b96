"""SIGTERM, by which machines are taken away: noted, and obeyed once the run has been saved."""

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any


class Termination:
    """Within the block, SIGTERM is noted instead of ending the process; ``obey`` ends it.

    A second SIGTERM, sent by who cannot wait, ends it at once. Where the signal is ignored, or
    outside of the main thread, which alone may handle signals in Python, nothing changes.

    Attributes:
        requested: Whether the signal has come.

    Example:
        >>> with Termination() as termination:
        ...     termination.requested
        False
    """

    def __init__(self) -> None:
        self.requested = False
        self._before: Any = None

    def __enter__(self) -> "Termination":
        """Begins to note the signal."""
        in_main = threading.current_thread() is threading.main_thread()
        before = signal.getsignal(signal.SIGTERM)
        if in_main and before not in (None, signal.SIG_IGN):
            self._before = before
            signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends noting; a signal that nobody has obeyed is obeyed now."""
        unobeyed = self.requested and kind is None
        self._restore()
        if unobeyed:
            self.obey()

    def obey(self) -> None:
        """Ends the process as the signal would have without the block.

        Raises:
            SystemExit: With code 143, if nobody else handles the signal.
        """
        before = self._restore()
        self.requested = False
        if callable(before):
            before(signal.SIGTERM, None)
            return
        sys.stdout.flush()
        raise SystemExit(128 + signal.SIGTERM)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            self.obey()
        self.requested = True

    def _restore(self) -> Any:
        """The handler from before the block, which is in place again."""
        before = self._before
        if before is not None and signal.getsignal(signal.SIGTERM) == self._note:
            signal.signal(signal.SIGTERM, before)
        return before
