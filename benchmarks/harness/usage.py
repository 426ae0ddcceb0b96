"""CPU time and memory used by a process, as reported by Linux.

Uses only the standard library, because contestants run in their own environments.
"""

import os
import pathlib
import resource
from collections.abc import Iterator


def cpu_seconds() -> float:
    """CPU time of this process and its children, running and finished."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used) + sum(_seconds_of_children())


def _seconds_of_children() -> Iterator[float]:
    """CPU time of running children, such as a loader's workers, which RUSAGE_CHILDREN omits."""
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the name, which is in parentheses and may contain anything.
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == os.getpid():
            yield (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes() -> int:
    """Resident memory of this process."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def peak_megabytes() -> int:
    """Peak memory of this process; getrusage's value would include its parent's."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def forget_peak() -> None:
    """Resets the peak to the current resident memory."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")
