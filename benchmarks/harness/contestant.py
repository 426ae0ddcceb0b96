"""One side of a side-by-side measurement: a process that measures when it is told to.

Owns the protocol with ``benchmarks.harness.side_by_side``, in the standard library alone, since
contestants live in environments of their own. Orders come by standard input, and answers go through
a pipe of their own, so that libraries may print what they like.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.harness.usage import cpu_seconds, peak_megabytes

PIPE = "BENCHMARK_PIPE"
"""The environment variable that names the pipe's file descriptor."""


def serve(measure: Callable[[], int], drain: Callable[[], object] = int, **facts: Any) -> None:
    """Says that it is ready, and measures a round for each line ``go``.

    Args:
        measure: Does a round of work and returns the number of items.
        drain: Uses up what was made ahead of the round, unmeasured, at each line ``drain``.
            Default: nothing.
        **facts: What the table should say of this contestant, such as versions.
    """
    pipe = os.fdopen(int(os.environ[PIPE]), "w")

    def say(**message: Any) -> None:
        pipe.write(json.dumps(message) + "\n")
        pipe.flush()

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
