import heapq

import numpy as np
import pytest

from mask_generation.methods.barrier import barrier_distance


def exact_barrier(image: np.ndarray) -> np.ndarray:
    """Smallest barrier of any path to the border.

    For a path that may not go below ``low``, the smallest possible highest value is found by
    Dijkstra's algorithm with maxima in place of sums; the barrier is the smallest difference
    over all values of ``low`` in the image.
    """
    height, width = image.shape
    best = np.full((height, width), np.inf)
    for low in np.unique(image):
        highest = np.full((height, width), np.inf)
        border = [
            (float(image[r, c]), r, c)
            for r in range(height)
            for c in range(width)
            if (r in (0, height - 1) or c in (0, width - 1)) and image[r, c] >= low
        ]
        for value, row, column in border:
            highest[row, column] = value
        heapq.heapify(border)
        while border:
            value, row, column = heapq.heappop(border)
            if value > highest[row, column]:
                continue
            for r, c in (
                (row - 1, column),
                (row + 1, column),
                (row, column - 1),
                (row, column + 1),
            ):
                if 0 <= r < height and 0 <= c < width and image[r, c] >= low:
                    new = max(value, float(image[r, c]))
                    if new < highest[r, c]:
                        highest[r, c] = new
                        heapq.heappush(border, (new, r, c))
        best = np.minimum(best, highest - low)
    return best


@pytest.mark.parametrize("seed", range(4))
def test_scans_are_near_the_exact_distance_and_never_below_it(seed):
    # The scans look at some of all paths, so they are never below; the paper reports small errors.
    random = np.random.default_rng(seed)
    image = np.kron(random.integers(0, 9, (4, 5)), np.ones((4, 4))).astype(np.float32)
    exact, found = exact_barrier(image), barrier_distance(image)
    assert (found >= exact - 1e-6).all()
    assert np.abs(found - exact).mean() < 0.05 * np.ptp(image)


def test_closed_ring_is_a_barrier_as_high_as_its_step():
    image = np.zeros((20, 20), np.float32)
    image[5:15, 5:15] = 7.0
    image[8:12, 8:12] = 0.0  # as the ground, but behind the ring
    found = barrier_distance(image)
    assert (found[5:15, 5:15] == 7.0).all()
    assert found[:5].max() == 0.0


def test_ring_with_a_gap_is_none():
    image = np.zeros((20, 20), np.float32)
    image[5:15, 5:15] = 7.0
    image[8:12, 8:15] = 0.0  # open to the right
    assert barrier_distance(image)[8:12, 8:15].max() == 0.0
