"""What one result may take in a worker process.

Owns the limit of memory, which the process sets for itself; the process that waits for the result
keeps the time.
"""

import dataclasses
import pathlib
import re
import sys

import cv2

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_STATUS = pathlib.Path("/proc/self/status")


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one result may take, where other processes work.

    Attributes:
        seconds: Longest time. Default: no limit.
        gigabytes: Largest memory, in addition to what a process takes when it starts; on Linux.
            Default: no limit.
    """

    seconds: float | None = None
    gigabytes: float | None = None

    def hold_memory(self) -> None:
        """Limits this process, if the system knows how: a larger request of memory fails."""
        if self.gigabytes is None or resource is None or not _STATUS.is_file():
            return
        # Of what a process has of its own; mapped files, such as libraries, do not count.
        in_use = re.search(r"VmData:\s+(\d+) kB", _STATUS.read_text())
        assert in_use is not None
        most = int(in_use[1]) * 1024 + int(min(self.gigabytes * 1e9, sys.maxsize / 4))
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


NO_LIMITS = Limits()

NO_MEMORY = "needs more memory than it may take"
"""Why a photograph is left out."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python, NumPy or OpenCV did not get the memory that it asked for.

    Example:
        >>> is_out_of_memory(MemoryError()), is_out_of_memory(ValueError())
        (True, False)
    """
    no_memory = isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem
    return no_memory or isinstance(error, MemoryError)
