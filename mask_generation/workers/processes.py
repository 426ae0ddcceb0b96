"""Processes that compute results, each at the end of a pipe of its own.

Owns how processes start, how they end, and what becomes of a result when its process is gone.

Every process has a pipe of its own, and a thread of this process that waits at it. The processes of
``concurrent.futures`` share one: if one of them is ended while it writes a result, all others and
this process wait for the rest forever. They also outlive a process that was killed.
"""

import concurrent.futures
import multiprocessing
import pickle
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any

from mask_generation.interrupts import no_interrupt
from mask_generation.workers.answering import answer_all
from mask_generation.workers.limits import NO_MEMORY, Limits

Lost = Callable[[Any, str], Any]
"""What stands for a result that could not be computed: a function of the source and the reason."""

_FIRST = 600.0
"""Seconds that the first result of a process may take in addition, for compilation."""

_IMPORTS = 600.0
"""Seconds after which a process that has not begun is not waited for any more."""

_DEATHS = 3
"""Processes that may die of a source. A new one needs seconds for its first result, in which it may
be killed for another reason than the source, so that two deaths prove little."""

_GLANCE = 5.0
"""Seconds between two looks at the clock while a result is waited for."""

_EARLY = 20
"""Processes in a row that may be killed before they begin."""


class Processes:
    """Processes that compute, each started when it is first needed."""

    def __init__(self, count: int, limits: Limits) -> None:
        # Forking a process with TensorFlow threads can hang; a spawned process starts clean.
        self._context = multiprocessing.get_context("spawn")
        self._threads = concurrent.futures.ThreadPoolExecutor(count)
        self._of_thread = threading.local()
        self._starting = threading.Lock()
        self._started: list[tuple[Any, Connection]] = []
        self._killed = False
        self._limits = limits

    def submit(
        self, function: Callable[[Any], Any], source: Any, lost: Lost | None
    ) -> concurrent.futures.Future[Any]:
        """Lets the next free process compute a result."""
        with no_interrupt():  # it may start a thread
            try:
                return self._threads.submit(self._compute, function, source, lost)
            except RuntimeError as error:
                raise _not_started(error) from error

    def finish(self) -> None:
        """Ends the processes when they have computed what they are computing."""
        self._threads.shutdown(cancel_futures=True)
        for process, pipe in list(self._started):
            pipe.close()
            process.join()

    def kill(self) -> None:
        """Ends the processes at once."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._killed = True
        for process, _ in list(self._started):
            process.kill()
        self.finish()

    def _compute(self, function: Callable[[Any], Any], source: Any, lost: Lost | None) -> Any:
        """Runs in a thread, which has the same process for as long as it lives."""
        question, reason = pickle.dumps((function, source)), ""
        deaths = early = 0
        while deaths < _DEATHS:
            try:
                result, failure = pickle.loads(self._ask(question))
            except _TooLongError as error:
                reason = str(error)
                break
            except _NotBegunError as error:  # no fault of the source
                early += 1
                if early == _EARLY or self._killed:
                    raise BrokenProcessPool(str(error)) from error
                continue
            except (EOFError, OSError):  # before the answer, or within it
                if self._killed:
                    raise BrokenProcessPool("The processes were ended.") from None
                reason = "a process died three times of it, perhaps because memory ran out"
                deaths += 1
                continue
            if isinstance(failure, MemoryError) and lost is not None:
                reason = NO_MEMORY
                break
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
        seconds = self._limits.seconds
        limit = seconds and seconds + _FIRST * self._of_thread.fresh
        try:
            self._begin(pipe, self._of_thread.process, question)
            if limit is not None and not _answers(pipe, limit):
                raise _TooLongError(f"took longer than {seconds:g} s")
            answer = pipe.recv_bytes()
        except BaseException:
            self._of_thread.process.kill()
            self._of_thread.pipe = None
            self._forget(pipe)
            raise
        self._of_thread.fresh = False
        return answer

    def _begin(self, pipe: Connection, process: Any, question: bytes) -> None:
        """Asks, and waits until the process has imported what it needs and begins to compute."""
        try:
            pipe.send_bytes(question)
            if not pipe.poll(_IMPORTS):
                raise BrokenProcessPool(f"A worker process has not begun within {_IMPORTS:g} s.")
            pipe.recv_bytes()
        except (EOFError, OSError) as error:
            raise _not_begun(process) from error

    def _start(self) -> tuple[Connection, Any]:
        """A new process that is ready to be asked."""
        try:
            with self._starting:
                process, ours = self._new()
        except OSError as error:  # the system has no more processes, memory or handles to give
            raise _not_started(error.strerror or error) from error
        if self._killed:  # meanwhile
            process.kill()
        try:
            ours.recv_bytes()
        except (EOFError, OSError) as error:
            self._forget(ours)
            raise _not_begun(process) from error
        return ours, process

    def _new(self) -> tuple[Any, Connection]:
        # A terminal sends Ctrl-C to every process: a new one blocks it, as this thread does,
        # or it would print a traceback. Starting the tracker unblocks it.
        if hasattr(signal, "pthread_sigmask"):  # not on Windows
            resource_tracker.ensure_running()
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        ours, theirs = self._context.Pipe()
        try:
            process = self._context.Process(target=answer_all, args=(theirs, self._limits))
            process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()  # so that the pipe ends with the process
        self._started.append((process, ours))
        return process, ours

    def _forget(self, pipe: Connection) -> None:
        """Closes what a process that has ended had of this one, which has only so many handles."""
        with self._starting:
            ended = [each for each in self._started if each[1] is pipe]
            self._started = [each for each in self._started if each[1] is not pipe]
        for process, _ in ended:
            pipe.close()
            process.join()


def _answers(pipe: Connection, seconds: float) -> bool:
    """Whether an answer comes in time; that for which this process was stopped does not count."""
    glance = min(_GLANCE, seconds / 10)
    while seconds > 0:
        before = time.monotonic()
        if pipe.poll(glance):
            return True
        seconds -= min(time.monotonic() - before, 2 * glance)
    return False


class _TooLongError(Exception):
    """A result took longer than it may."""


class _NotBegunError(Exception):
    """A process was killed before it began to compute."""


def _not_started(reason: Exception | str) -> BrokenProcessPool:
    return BrokenProcessPool(f"A worker process could not be started: {reason}.")


def _not_begun(process: Any) -> Exception:
    """What to raise for a process that ended early; another attempt is of use if it was killed."""
    process.join()
    if process.exitcode < 0:
        return _NotBegunError("A worker process was killed before it began, again and again.")
    return BrokenProcessPool("A worker process could not be started.")
