"""The machine used for measuring: its processor, and the load of all processes."""

import os
import pathlib
import time

ALLOWED_DISTURBANCE = 0.05
"""Share of CPU time that other processes may use without invalidating a measurement."""

_BUSY = (0, 1, 2, 4, 5, 6, 7)
"""Columns of /proc/stat: user, nice, system, irq, softirq, steal; all but idle and iowait."""


def busy_seconds() -> float:
    """CPU time used by all processes, and by the host's other guests, since boot."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(int(fields[column]) for column in _BUSY) / os.sysconf("SC_CLK_TCK")


def wait_until_idle(seconds: float, at_most: float = 20.0) -> None:
    """Waits for the previous contestant to settle: spinning threads, loaders filling buffers.

    Args:
        seconds: How long the machine must have been nearly idle.
        at_most: Seconds after which to continue anyway; the rule for disturbed rounds then decides.
    """
    start, processors = time.perf_counter(), os.cpu_count() or 1
    while time.perf_counter() - start < at_most:
        before = busy_seconds()
        time.sleep(seconds)
        if busy_seconds() - before <= ALLOWED_DISTURBANCE * seconds * processors:
            return


def processor() -> str:
    """The processor's name and its instruction sets that matter here."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    flags = next((line for line in lines if line.startswith("flags")), "").split()
    has = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    return " ".join([f"{os.cpu_count()} cores of", name, *has])
