"""Many small computations in this or several processes, with results in order.

Owns processes, their threads and how they handle Ctrl-C, not what is computed.
"""

import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import cv2
import threadpoolctl

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
def ordered_map(count: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """A ``map`` over this or several processes, with results in the order of the input.

    Leaving the context with an error terminates the other processes at once.

    Args:
        count: Number of processes; 1 means this process.

    Returns:
        A context manager that gives a function like ``map``.

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
                yield map
        finally:
            cv2.setNumThreads(threads)
        return
    before = {name: os.environ.get(name) for name in (*_THREADS, *_MEMORY)}
    for name, setting in _MEMORY.items():
        os.environ.setdefault(name, setting)
    os.environ.update(_THREADS)
    # Forking a process with TensorFlow threads can hang; a spawned process starts clean.
    context = multiprocessing.get_context("spawn")
    others = multiprocessing.active_children()
    # OpenCV has its own threads, whose number cannot be set by an environment variable.
    pool = concurrent.futures.ProcessPoolExecutor(
        count, mp_context=context, initializer=cv2.setNumThreads, initargs=(1,)
    )
    try:
        yield partial(_map_in_blocks, pool, count)
    except BaseException:  # the workers' remaining results are no longer needed
        for process in multiprocessing.active_children():
            if process not in others:
                process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _map_in_blocks(
    pool: concurrent.futures.Executor,
    workers: int,
    function: Callable[[Any], Any],
    sources: Sequence[Any],
) -> Iterator[Any]:
    """Like ``pool.map``, but with a bounded number of results waiting in memory."""
    pending: list[concurrent.futures.Future[Any]] = []
    for source in sources:
        with no_interrupt():  # submitting may start a worker
            pending.append(pool.submit(function, source))
        if len(pending) >= 16 * workers:
            yield pending.pop(0).result()
    for future in pending:
        yield future.result()


@contextlib.contextmanager
def no_interrupt() -> Iterator[None]:
    """Blocks Ctrl-C until the end of the block; permanently in processes started within it.

    A terminal sends Ctrl-C to every process; without this, each worker would print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
