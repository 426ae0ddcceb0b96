import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_flow

from mask_generation.cut.minimum_cut import NEIGHBORS, minimum_cut


def random_grid(seed: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Whole capacities, so that float32 adds them exactly; a third of the ties are missing."""
    random = np.random.default_rng(seed)
    excess = np.zeros((height + 2, width + 2), np.float32)
    excess[1:-1, 1:-1] = random.integers(-12, 13, (height, width))
    excess *= random.random(excess.shape) < 0.7
    capacity = np.zeros((height + 2, width + 2, 8), np.float32)
    for direction, (down, right) in enumerate(NEIGHBORS):
        for row in range(1, height + 1):
            for column in range(1, width + 1):
                inside = 1 <= row + down <= height and 1 <= column + right <= width
                if inside and random.random() < 0.67:
                    capacity[row, column, direction] = random.integers(0, 9)
    return excess, capacity


def ties(excess: np.ndarray, capacity: np.ndarray) -> list[tuple[int, int, int]]:
    """Every tie as (from, to, capacity); the two terminals come after the pixels."""
    width = excess.shape[1]
    source, sink = excess.size, excess.size + 1
    found = [
        (place, place + down * width + right, int(capacity.reshape(-1, 8)[place, direction]))
        for direction, (down, right) in enumerate(NEIGHBORS)
        for place in range(excess.size)
    ]
    for place, value in enumerate(excess.ravel()):
        found.append((source, place, int(max(value, 0))))
        found.append((place, sink, int(max(-value, 0))))
    return [tie for tie in found if tie[2] > 0]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (6, 5), (17, 23)])
def test_cut_costs_what_the_largest_flow_carries(seed, shape):
    # By the theorem of Ford and Fulkerson; SciPy finds the flow by another algorithm (Dinic's).
    excess, capacity = random_grid(seed, *shape)
    edges = ties(excess, capacity)
    start, end, carries = (np.array([edge[k] for edge in edges], np.int32) for k in range(3))
    nodes = excess.size + 2
    graph = coo_array((carries, (start, end)), shape=(nodes, nodes)).tocsr().astype(np.int32)
    flow = maximum_flow(graph, nodes - 2, nodes - 1).flow_value
    inside = minimum_cut(excess, capacity)
    on_source = np.append(np.pad(inside, 1).ravel(), [True, False])
    cost = sum(value for a, b, value in edges if on_source[a] and not on_source[b])
    assert cost == flow


def test_pixels_tied_to_nothing_are_on_the_side_of_the_sink():
    assert not minimum_cut(np.zeros((4, 5), np.float32), np.zeros((4, 5, 8), np.float32)).any()


def test_excess_is_left_as_it_was():
    excess, capacity = random_grid(0, 5, 5)
    before = excess.copy()
    minimum_cut(excess, capacity)
    np.testing.assert_array_equal(excess, before)
