"""The machine that is measured on: which processor it has, and what all processes do with it."""

import os
import pathlib
import time

ALLOWED_DISTURBANCE = 0.05
"""Share of the processors that others may use without it mattering."""

_BUSY = (0, 1, 2, 4, 5, 6, 7)
"""Columns of /proc/stat: user, nice, system, irq, softirq, steal; all but idle and iowait."""


def busy_seconds() -> float:
    """Processor time that all processes, and the host's other guests, have used since the start."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(int(fields[column]) for column in _BUSY) / os.sysconf("SC_CLK_TCK")


def wait_until_idle(seconds: float, at_most: float = 20.0) -> None:
    """Waits for the one before to come to rest: threads that spin, loaders that fill their buffers.

    Args:
        seconds: For which the machine must have been all but idle.
        at_most: Seconds after which to go on all the same; the rule for disturbed rounds decides.
    """
    start, processors = time.perf_counter(), os.cpu_count() or 1
    while time.perf_counter() - start < at_most:
        before = busy_seconds()
        time.sleep(seconds)
        if busy_seconds() - before <= ALLOWED_DISTURBANCE * seconds * processors:
            return


def processor() -> str:
    """The processor's name and those of its instructions that matter here."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    flags = next((line for line in lines if line.startswith("flags")), "").split()
    has = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    return " ".join([f"{os.cpu_count()} cores of", name, *has])
