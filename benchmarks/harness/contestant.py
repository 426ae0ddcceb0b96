"""One side of a side-by-side measurement: a process that measures on request.

Owns the protocol with ``benchmarks.harness.side_by_side``, using only the standard library, because
contestants run in their own environments. Commands arrive on standard input, and answers go through
a separate pipe, so that libraries may print what they like.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.harness.usage import cpu_seconds, peak_megabytes

PIPE = "BENCHMARK_PIPE"
"""The environment variable with the pipe's file descriptor."""


def serve(measure: Callable[[], int], drain: Callable[[], object] = int, **facts: Any) -> None:
    """Reports that it is ready, and measures one round for each line ``go``.

    Args:
        measure: Does one round of work and returns the number of items.
        drain: Consumes, without measuring, what was produced ahead of the round, at each line
            ``drain``. Default: does nothing.
        **facts: Facts about this contestant for the table, such as versions.
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
    """A measure that repeats ``step`` often enough to take this long, judging by its second run."""
    for _ in range(2):
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            step()
            count += 1

    def measure() -> int:
        return sum(step() for _ in range(count))

    return measure
