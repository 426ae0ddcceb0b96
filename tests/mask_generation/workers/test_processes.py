import contextlib
import errno
import multiprocessing
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures.process import BrokenProcessPool

import cv2
import numpy as np
import pytest

from mask_generation.workers import Limits, ordered_map, processes

ROOT = pathlib.Path(__file__).parents[3]


def threads(_: int) -> tuple[int, int]:
    return os.getpid(), cv2.getNumThreads()


@pytest.mark.parametrize("count", [1, 2])
def test_opencv_has_one_thread_in_every_process(count):
    before = cv2.getNumThreads()
    with ordered_map(count) as run:
        found = list(run(threads, [1, 2, 3]))
    assert {number for _, number in found} == {1}
    assert (os.getpid() in {process for process, _ in found}) == (count == 1)
    assert cv2.getNumThreads() == before


def test_opencv_has_its_threads_back_after_an_error():
    before = cv2.getNumThreads()
    with pytest.raises(ZeroDivisionError), ordered_map(1) as run:
        list(run(lambda value: 1 // value, [1, 0]))
    assert cv2.getNumThreads() == before


def memory(_: int) -> str | None:
    return os.environ.get("MALLOC_TRIM_THRESHOLD_")


def test_workers_keep_freed_memory_and_this_process_has_its_settings_back(monkeypatch):
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    with ordered_map(2) as run:
        assert list(run(memory, [1])) == [str(2**31 - 1)]
    assert "MALLOC_TRIM_THRESHOLD_" not in os.environ


def test_users_own_setting_of_memory_has_precedence(monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000000")
    with ordered_map(2) as run:
        assert list(run(memory, [1])) == ["1000000"]
    assert os.environ["MALLOC_TRIM_THRESHOLD_"] == "1000000"


def fail(number: int) -> None:
    raise (ValueError("a value"), UnsendableError(2, "two"))[number]


class UnsendableError(Exception):
    """Pickle calls the class with the message only."""

    def __init__(self, number: int, name: str):
        super().__init__(f"{number} is {name}")


def test_error_of_a_worker_is_raised_here_with_its_traceback():
    with pytest.raises(ValueError, match="a value") as caught, ordered_map(2) as run:
        list(run(fail, [0]))
    assert "in fail" in "".join(caught.value.__notes__)
    with pytest.raises(RuntimeError, match="2 is two"), ordered_map(2) as run:
        list(run(fail, [1]))


def test_leaving_with_an_error_ends_the_workers():
    with contextlib.suppress(ZeroDivisionError), ordered_map(2) as run:
        next(iter(run(threads, range(100))))
        assert multiprocessing.active_children()
        _ = 1 // 0
    assert multiprocessing.active_children() == []


def test_leaving_before_the_last_result_ends_the_workers():
    with ordered_map(2) as run:
        next(iter(run(threads, range(100))))
    assert multiprocessing.active_children() == []


SCRIPT = """
import os
import signal
import sys

from mask_generation.workers import ordered_map


def large(_):
    return bytes(2**23)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with ordered_map(2) as run:
        results = iter(run(large, range(100)))
        next(results)
        os.kill(os.getpid(), signal.SIGSTOP)
        for _ in results:
            pass
"""


def stat(pid: int) -> tuple[str, int]:
    """State and parent of a process; Z after its end."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "Z", 0
    return fields[0], int(fields[1])


def wait_until(condition, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def stopped(tmp_path):
    """A stopped process, whose workers wait in the middle of a result for it to read on."""
    (tmp_path / "script.py").write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "script.py"],
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
    )
    wait_until(lambda: stat(process.pid)[0] == "T" or process.poll() is not None)
    workers = [
        int(path.name)
        for path in pathlib.Path("/proc").glob("[0-9]*")
        if stat(int(path.name))[1] == process.pid
        and b"spawn_main" in (path / "cmdline").read_bytes()
    ]
    assert len(workers) == 2
    for _ in range(20):  # an import, too, sleeps now and then
        wait_until(lambda: all(stat(worker)[0] == "S" for worker in workers))
    yield process, workers
    for pid in (process.pid, *workers):
        if stat(pid)[0] != "Z":
            os.kill(pid, signal.SIGKILL)
    process.communicate()


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc")


@needs_proc
def test_interrupt_in_the_middle_of_a_result_ends_all(stopped):
    process, workers = stopped
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGCONT)
    _, err = process.communicate(timeout=240)
    assert process.returncode == -signal.SIGINT
    assert err.count("Traceback") == 1
    assert {stat(worker)[0] for worker in workers} == {"Z"}


@needs_proc
def test_worker_that_dies_in_the_middle_of_a_result_is_replaced(stopped):
    process, workers = stopped
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    os.kill(process.pid, signal.SIGCONT)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err


def die(question: tuple[int, str]) -> int:
    """Ends its process while the file is there, which 2 removes first; -1 sleeps for long."""
    number, file = question
    if number == 2 and os.path.exists(file):
        os.unlink(file)
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 3:
        os._exit(1)
    if number == -1:
        time.sleep(600)
    return 10 * number


def lost(question: tuple[int, str], reason: str) -> tuple[int, str]:
    return question[0], reason


def test_process_that_dies_costs_its_result_only_if_it_dies_again(tmp_path):
    """With 2 the first process dies, with 3 every one."""
    (tmp_path / "file").touch()
    with ordered_map(2) as run:
        questions = [(number, str(tmp_path / "file")) for number in (0, 1, 2, 3, 4, 5)]
        found = list(run(die, questions, lost))
    reason = "a process died three times of it, perhaps because memory ran out"
    assert found == [0, 10, 20, (3, reason), 40, 50]
    assert not (tmp_path / "file").exists()


def slow_square(number: int) -> int:
    time.sleep(0.05)
    return number**2


class Imports:
    """A question whose imports end the process while the folder holds a file, which goes first."""

    def __init__(self, folder: str, how: int) -> None:
        self.folder, self.how = folder, how

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__ = state
        for file in os.listdir(self.folder):
            os.unlink(os.path.join(self.folder, file))
            if self.how == signal.SIGKILL:
                os.kill(os.getpid(), signal.SIGKILL)
            os._exit(1)

    def __call__(self, number: int) -> int:
        return number + 1


def test_process_that_is_killed_before_it_begins_costs_no_result(tmp_path):
    """Three times in a row, where the second death of one that has begun costs its result."""
    for number in range(3):
        (tmp_path / str(number)).touch()
    with ordered_map(2) as run:
        assert list(run(Imports(str(tmp_path), signal.SIGKILL), [1, 2], lost)) == [2, 3]
    assert not list(tmp_path.iterdir())


def test_processes_that_are_killed_again_and_again_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "_EARLY", 2)
    for number in range(2):
        (tmp_path / str(number)).touch()
    with pytest.raises(BrokenProcessPool, match="killed before it began"), ordered_map(2) as run:
        list(run(Imports(str(tmp_path), signal.SIGKILL), [1], lost))


def test_process_that_ends_by_itself_before_it_begins_is_an_error(tmp_path):
    """As its imports would end the next ones, too."""
    for number in range(9):
        (tmp_path / str(number)).touch()
    with pytest.raises(BrokenProcessPool, match="could not be started"), ordered_map(2) as run:
        list(run(Imports(str(tmp_path), 1), [1], lost))
    assert len(list(tmp_path.iterdir())) == 8


class Unreadable:
    def __setstate__(self, state: object) -> None:
        raise ImportError("no such module")

    def __getstate__(self) -> int:
        return 1


def test_question_that_cannot_be_read_is_an_error():
    with pytest.raises(ImportError, match="no such module"), ordered_map(2) as run:
        list(run(abs, [Unreadable()]))


@pytest.mark.slow
def test_no_result_is_lost_or_doubled_while_processes_are_killed_at_random():
    chance, ended = random.Random(0), threading.Event()

    def kill():
        while not ended.wait(chance.uniform(2.0, 3.0)):
            os.kill(chance.choice(multiprocessing.active_children()).pid, signal.SIGKILL)
            kills.append(1)

    kills: list[int] = []
    killing = threading.Thread(target=kill)
    with ordered_map(2) as run:
        killing.start()
        try:
            found = list(run(slow_square, range(800), lost))
        finally:
            ended.set()
            killing.join()
    assert found == [number**2 for number in range(800)]
    assert len(kills) >= 5


def test_result_that_is_lost_is_an_error_unless_something_stands_for_it():
    with (
        pytest.raises(BrokenProcessPool, match="a process died three times"),
        ordered_map(2) as run,
    ):
        list(run(die, [(3, "")]))


def test_result_that_takes_too_long_is_lost_at_once(monkeypatch):
    """A process that sleeps for ten minutes has four seconds."""
    monkeypatch.setattr(processes, "_FIRST", 0.0)
    with ordered_map(2, Limits(seconds=4)) as run:
        found = list(run(die, [(0, ""), (-1, ""), (1, ""), (4, "")], lost))
    assert found == [0, (-1, "took longer than 4 s"), 10, 40]
    assert multiprocessing.active_children() == []


def take(gigabytes: float) -> int:
    return len(np.ones(int(gigabytes * 1e9), np.uint8))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits it")
def test_result_that_needs_too_much_memory_is_lost():
    """One array of 3 GB, where 1 GB may be taken."""
    with ordered_map(2, Limits(gigabytes=1)) as run:
        found = list(run(take, [0.1, 3.0, 0.2], lambda source, reason: reason))
        with pytest.raises(MemoryError):
            list(run(take, [3.0]))
    assert found == [100_000_000, "needs more memory than it may take", 200_000_000]


@needs_proc
def test_workers_end_after_a_process_that_was_killed(stopped):
    process, workers = stopped
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: all(stat(worker)[0] == "Z" for worker in workers))
    _, err = process.communicate(timeout=240)
    assert err == ""


def test_process_that_cannot_be_started_costs_no_source(monkeypatch):
    """A system has no more processes to give: no fault of what was to be computed."""

    def refused(process):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(multiprocessing.context.SpawnProcess, "start", refused)
    with (
        pytest.raises(BrokenProcessPool, match=r"could not be started: Resource temporarily"),
        ordered_map(2) as run,
    ):
        list(run(abs, [1, 2, 3], lambda source, reason: reason))


def perish(value: int) -> int:
    if value < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def test_ended_processes_leave_no_open_files():
    """Three of them for each of five sources; two are left, each with a pipe and a sentinel."""
    before = len(os.listdir("/proc/self/fd"))
    with ordered_map(2) as run:
        found = list(run(perish, [-1, -2, -3, -4, -5, 1, 2], lambda source, reason: source))
        assert found == [-1, -2, -3, -4, -5, 1, 2]
        assert len(os.listdir("/proc/self/fd")) <= before + 6


def rest(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def test_time_for_which_all_were_stopped_does_not_count(monkeypatch):
    """As by Ctrl-Z: the clock goes on, but nobody works."""
    clock = time.monotonic
    late = []

    def stopped() -> float:
        late.append(0)
        return clock() + (3600 if len(late) > 3 else 0)

    monkeypatch.setattr(processes.time, "monotonic", stopped)
    with ordered_map(2, Limits(seconds=20)) as run:
        assert list(run(rest, [0.0, 3.0], lambda source, reason: reason)) == [0.0, 3.0]


def test_thread_that_cannot_be_started_is_a_sentence(monkeypatch):
    def refused(thread):
        raise RuntimeError("can't start new thread")

    said = r"could not be started: can't start new thread\."
    with ordered_map(2) as run, monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refused)
        with pytest.raises(BrokenProcessPool, match=said):
            list(run(abs, [1], lambda source, reason: reason))
