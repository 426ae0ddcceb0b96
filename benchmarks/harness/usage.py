"""What a process has used: processor time and memory, as Linux knows them.

In the standard library alone, since contestants live in environments of their own.
"""

import os
import pathlib
import resource
from collections.abc import Iterator


def cpu_seconds() -> float:
    """Processor time of this process and of its children, those that live and those that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used) + sum(_seconds_of_children())


def _seconds_of_children() -> Iterator[float]:
    """Such as a loader's workers, which live on and are not in RUSAGE_CHILDREN."""
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the name, which stands in brackets and may hold anything.
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == os.getpid():
            yield (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes() -> int:
    """What this process has in memory now."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def peak_megabytes() -> int:
    """The most this process has had in memory; getrusage's would include its parent's."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def forget_peak() -> None:
    """Lets the peak begin anew with what is in memory now."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")
