"""``map`` over this or several processes.

Owns the order of the results, how many of them wait, and the settings that processes start with.
"""

import collections
import concurrent.futures
import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import cv2
import threadpoolctl

from mask_generation.interrupts import no_interrupt
from mask_generation.workers.limits import NO_LIMITS, Limits
from mask_generation.workers.processes import Lost, Processes

# Read by OpenMP, OpenBLAS and MKL when a worker first imports NumPy. The matrices are small: more
# than one thread would only spin and slow down other workers.
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

# Read by glibc when a worker starts: keep freed memory for the next photograph instead of taking a
# page fault per 4 kB. The user's own settings take precedence. A stream of views does the same at
# run time, in harl_tf/data/kept_memory.py, which this package may not import.
_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1),
}


@contextlib.contextmanager
def ordered_map(count: int, limits: Limits = NO_LIMITS) -> Iterator[Callable[..., Iterable[Any]]]:
    """A ``map`` over this or several processes, with results in the order of the input.

    Leaving the context with an error ends the other processes at once. They also end, after their
    current result, if this process was killed.

    Args:
        count: Number of processes; 1 means this process.
        limits: What one result may take, if there are other processes. Default: no limits.

    Returns:
        A context manager that gives a function like ``map``. A third argument, a ``Lost``, makes
        the result of a source with which a process died three times, or which took too much;
        without it, that is an error.

    Raises:
        BrokenProcessPool: If a process cannot be started, or a result is lost.

    Example:
        >>> with ordered_map(1) as run:
        ...     list(run(abs, [-2, 1]))
        [2, 1]
    """
    if count == 1:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            with threadpoolctl.threadpool_limits(1):
                yield _map_here
        finally:
            cv2.setNumThreads(threads)
        return
    before = {name: os.environ.get(name) for name in (*_THREADS, *_MEMORY)}
    for name, setting in _MEMORY.items():
        os.environ.setdefault(name, setting)
    os.environ.update(_THREADS)
    workers = Processes(count, limits)
    try:
        yield partial(_map_in_blocks, workers, count)
        workers.finish()
    except BaseException:  # the remaining results are no longer needed
        with no_interrupt():
            workers.kill()
        raise
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _map_here(
    function: Callable[[Any], Any], sources: Iterable[Any], lost: Lost | None = None
) -> Iterator[Any]:
    """``map``: a result that ends this process is not lost, but the end of everything."""
    return map(function, sources)


def _map_in_blocks(
    workers: Processes,
    count: int,
    function: Callable[[Any], Any],
    sources: Iterable[Any],
    lost: Lost | None = None,
) -> Iterator[Any]:
    """Like ``map``, but with bounds for what waits in memory: results, and sources with data."""
    pending: collections.deque[tuple[int, concurrent.futures.Future[Any]]] = collections.deque()
    waiting = 0
    for source in sources:
        size = len(getattr(source, "data", b""))
        pending.append((size, workers.submit(function, source, lost)))
        waiting += size
        while len(pending) >= 16 * count or (waiting > _MOST_BYTES and len(pending) > 1):
            size, result = pending.popleft()
            waiting -= size
            yield result.result()
    for _, result in pending:
        yield result.result()


_MOST_BYTES = 2**29
"""Bytes of photographs, from compressed archives, that wait for workers."""
