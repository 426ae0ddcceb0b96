"""Many small computations in this or several processes, with results in order.

Owns processes, their threads and how they end, not what is computed.

A process that dies, for want of memory or in a library that meets a malformed file, costs what it
was computing and no more: another takes its place and tries once more.

Every process has a pipe of its own, and a thread of this process that waits at it. The processes of
``concurrent.futures`` share one: if one of them is ended while it writes a result, all others and
this process wait for the rest forever. They also outlive a process that was killed.
"""

import collections
import concurrent.futures
import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any

import cv2
import threadpoolctl

from mask_generation.interrupts import no_interrupt

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


Lost = Callable[[Any, str], Any]
"""What stands for a result that could not be computed: a function of the source and the reason."""

_FIRST = 600.0
"""Seconds that the first result of a process may take in addition, for imports and compilation."""


@contextlib.contextmanager
def ordered_map(count: int, seconds: float | None = None) -> Iterator[Callable[..., Iterable[Any]]]:
    """A ``map`` over this or several processes, with results in the order of the input.

    Leaving the context with an error ends the other processes at once. They also end, after their
    current result, if this process was killed.

    Args:
        count: Number of processes; 1 means this process.
        seconds: Longest time for one result, if there are other processes. Default: no limit.

    Returns:
        A context manager that gives a function like ``map``. A third argument, a ``Lost``, makes
        the result of a source with which a process died twice, or took too long; without it, that
        is an error.

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
    workers = _Workers(count, seconds)
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


class _Workers:
    """Processes that compute, each started when it is first needed."""

    def __init__(self, count: int, seconds: float | None) -> None:
        # Forking a process with TensorFlow threads can hang; a spawned process starts clean.
        self._context = multiprocessing.get_context("spawn")
        self._threads = concurrent.futures.ThreadPoolExecutor(count)
        self._of_thread = threading.local()
        self._starting = threading.Lock()
        self._started: list[tuple[Any, Connection]] = []
        self._killed = False
        self._seconds = seconds

    def submit(
        self, function: Callable[[Any], Any], source: Any, lost: Lost | None
    ) -> concurrent.futures.Future[Any]:
        """Lets the next free process compute a result."""
        with no_interrupt():  # it may start a thread
            return self._threads.submit(self._compute, function, source, lost)

    def finish(self) -> None:
        """Ends the processes when they have computed what they are computing."""
        self._threads.shutdown(cancel_futures=True)
        for process, pipe in self._started:
            pipe.close()
            process.join()

    def kill(self) -> None:
        """Ends the processes at once."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._killed = True
        for process, _ in self._started:
            process.kill()
        self.finish()

    def _compute(self, function: Callable[[Any], Any], source: Any, lost: Lost | None) -> Any:
        """Runs in a thread, which has the same process for as long as it lives."""
        question, reason = pickle.dumps((function, source)), ""
        for _ in range(2):
            try:
                result, failure = pickle.loads(self._ask(question))
            except _TooLongError as error:
                reason = str(error)
                break
            except (EOFError, OSError):  # between two messages, or within one
                if self._killed:
                    raise BrokenProcessPool("The processes were ended.") from None
                reason = "a process died twice of it, perhaps because memory ran out"
                continue
            if failure is not None:
                raise failure
            return result
        if lost is None:
            raise BrokenProcessPool(f"A worker process died: {reason}.")
        return lost(source, reason)

    def _ask(self, question: bytes) -> bytes:
        """The answer of this thread's process; without one, the process is gone."""
        if getattr(self._of_thread, "pipe", None) is None:
            self._of_thread.pipe, self._of_thread.process = self._start()
            self._of_thread.fresh = True
        pipe: Connection = self._of_thread.pipe
        limit = self._seconds and self._seconds + _FIRST * self._of_thread.fresh
        try:
            pipe.send_bytes(question)
            if limit is not None and not pipe.poll(limit):
                raise _TooLongError(f"took longer than {self._seconds:g} s")
            answer = pipe.recv_bytes()
        except BaseException:
            self._of_thread.process.kill()
            self._of_thread.pipe = None
            raise
        self._of_thread.fresh = False
        return answer

    def _start(self) -> tuple[Connection, Any]:
        """A new process that is ready to compute."""
        with self._starting:
            # A terminal sends Ctrl-C to every process: a new one blocks it, as this thread does,
            # or it would print a traceback. Starting the tracker unblocks it.
            if hasattr(signal, "pthread_sigmask"):  # not on Windows
                resource_tracker.ensure_running()
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=_answer, args=(theirs,))
            process.start()
            theirs.close()  # so that the pipe ends with the process
            self._started.append((process, ours))
        if self._killed:  # meanwhile
            process.kill()
        try:
            ours.recv_bytes()
        except (EOFError, OSError) as error:
            raise BrokenProcessPool("A worker process could not be started.") from error
        return ours, process


class _TooLongError(Exception):
    """A result took longer than it may."""


def _answer(pipe: Connection) -> None:
    """Runs in a worker process: computes results until the other end of the pipe is closed."""
    # OpenCV has its own threads, whose number cannot be set by an environment variable.
    cv2.setNumThreads(1)
    with contextlib.suppress(EOFError, OSError):
        pipe.send_bytes(b"ready")
        while True:
            question = pipe.recv_bytes()
            try:
                function, source = pickle.loads(question)
                answer = pickle.dumps((function(source), None))
            except BaseException as error:
                error.add_note(f"In a worker process: {traceback.format_exc()}")
                answer = pickle.dumps((None, _that_can_be_sent(error)))
            pipe.send_bytes(answer)


def _that_can_be_sent(error: BaseException) -> BaseException:
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(traceback.format_exception(error)))


def _map_here(
    function: Callable[[Any], Any], sources: Iterable[Any], lost: Lost | None = None
) -> Iterator[Any]:
    """``map``: a result that ends this process is not lost, but the end of everything."""
    return map(function, sources)


def _map_in_blocks(
    workers: _Workers,
    count: int,
    function: Callable[[Any], Any],
    sources: Iterable[Any],
    lost: Lost | None = None,
) -> Iterator[Any]:
    """Like ``map``, but with a bounded number of results waiting in memory."""
    pending: collections.deque[concurrent.futures.Future[Any]] = collections.deque()
    for source in sources:
        pending.append(workers.submit(function, source, lost))
        if len(pending) >= 16 * count:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()
