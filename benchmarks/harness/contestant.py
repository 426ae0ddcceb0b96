"""One side of a side-by-side measurement: a process that measures when it is told to.

Owns the protocol with ``benchmarks.harness.side_by_side``, in the standard library alone, since
contestants live in environments of their own. What libraries print goes to standard error.
"""

import json
import os
import pathlib
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TextIO


def protocol() -> TextIO:
    """The stream to the controller; from here on everything else that is printed goes to stderr."""
    stream = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return stream


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
    """Lets the peak begin anew with what is in memory now (Linux)."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")


def serve(
    stream: TextIO, measure: Callable[[], int], drain: Callable[[], object] = int, **facts: Any
) -> None:
    """Says that it is ready, and measures a round for each line ``go``.

    Args:
        stream: From ``protocol()``, called before anything was imported that prints.
        measure: Does a round of work and returns the number of items.
        drain: Uses up what was made ahead of the round, unmeasured, at each line ``drain``.
            Default: nothing.
        **facts: What the table should say of this contestant, such as versions.
    """

    def say(**message: Any) -> None:
        stream.write(json.dumps(message) + "\n")
        stream.flush()

    say(ready=True, **facts)
    for line in map(str.strip, sys.stdin):
        if line == "drain":
            drain()
            say()
            continue
        if line != "go":
            return
        start, cpu = time.perf_counter(), cpu_seconds()
        items = measure()
        seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
        say(items=items, seconds=seconds, cpu_seconds=cpu, peak_megabytes=peak_megabytes())


def steady(step: Callable[[], int], seconds: float) -> Callable[[], int]:
    """A measure that repeats ``step``, as often as took this long the second time it was tried."""
    for _ in range(2):
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            step()
            count += 1

    def measure() -> int:
        return sum(step() for _ in range(count))

    return measure
