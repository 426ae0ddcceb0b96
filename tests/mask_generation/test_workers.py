import os

import cv2
import pytest

from mask_generation.workers import ordered_map


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
