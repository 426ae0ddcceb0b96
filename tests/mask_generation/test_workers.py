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
