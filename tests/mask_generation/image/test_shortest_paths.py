import numpy as np
import pytest
from scipy.sparse.csgraph import floyd_warshall

from mask_generation.image.shortest_paths import shortest_paths


@pytest.mark.parametrize("seed", range(3))
def test_shortest_paths_are_scipys(seed):
    """Lengths are whole numbers, so that sums are exact; some nodes cannot be reached."""
    random = np.random.default_rng(seed)
    edges = random.integers(1, 100, (40, 40)).astype(np.float32)
    edges[random.random(edges.shape) < 0.95] = np.inf
    np.fill_diagonal(edges, 0.0)
    expected = floyd_warshall(edges)
    assert np.isinf(expected).any()
    np.testing.assert_array_equal(shortest_paths(edges), expected)
