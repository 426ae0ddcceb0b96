"""Locks: two processes do not work on one folder.

Owns who holds a lock and what the other is told, not what is locked. ``harl_tf`` uses it, too.
"""

import contextlib
import datetime
import json
import os
import pathlib
import platform
import sys
from types import TracebackType
from typing import Any

import filelock

from mask_generation.whole_file import whole_file


class LockedError(Exception):
    """Another process works on this folder; the message says which one and what to do."""


class Lock:
    """Held by one process at a time, as a context manager; a second one is refused.

    The operating system lets go of it when the process ends, however that happens: what a killed
    process has left behind is no lock. In the same process it may be entered several times.

    Args:
        file: The lock's file; a second one beside it, ``FILE.json``, says who holds the lock. Both
            are removed in the end.
        what: What is locked, for the message.

    Raises:
        LockedError: On entering, if another process holds the lock.
        OSError: On entering, if the file cannot be written.

    Example:
        >>> import tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> with Lock(folder / ".lock", folder), Lock(folder / ".lock", folder):
        ...     sorted(path.name for path in folder.iterdir())
        ['.lock', '.lock.json']
        >>> list(folder.iterdir())
        []
    """

    def __init__(self, file: str | os.PathLike[str], what: str | os.PathLike[str]) -> None:
        self._file = pathlib.Path(os.path.abspath(file))
        self._holder = self._file.with_name(f"{self._file.name}.json")
        self._what = what
        # One object for every use in this process, and one count for its threads.
        self._lock = filelock.FileLock(self._file, is_singleton=True, thread_local=False)

    def __enter__(self) -> "Lock":
        """Takes the lock."""
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise LockedError(
                f"{self._what} is in use by {self._in_words()}. Wait for it to end, end it, or "
                "choose another folder."
            ) from None
        # On a full disk there is no note, and the lock holds all the same.
        with contextlib.suppress(OSError):
            self._note()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Lets go of the lock, unless this process has entered it elsewhere, too."""
        if self._lock.lock_counter == 1:  # removed while nobody else can hold it
            self._holder.unlink(missing_ok=True)
            self._file.unlink(missing_ok=True)
        self._lock.release()

    def _note(self) -> None:
        if self._lock.lock_counter == 1:
            with whole_file(self._holder) as file:
                file.write_text(json.dumps(_this_process()) + "\n", encoding="utf-8")

    def _in_words(self) -> str:
        """The process that holds the lock."""
        try:
            holder = dict(json.loads(self._holder.read_text(encoding="utf-8")))
            return (
                f"process {holder['process']} on {holder['machine']} since {holder['since']} "
                f"({holder['command']})"
            )
        except (OSError, ValueError, KeyError, TypeError):  # it has only just begun
            return "another process"


def _this_process() -> dict[str, Any]:
    command = " ".join(sys.argv)
    return {
        "process": os.getpid(),
        "machine": platform.node(),
        "since": datetime.datetime.now().isoformat(" ", "seconds"),
        "command": command if len(command) <= 200 else f"{command[:197]}...",
    }
