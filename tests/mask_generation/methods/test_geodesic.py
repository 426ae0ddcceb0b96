import numpy as np
import pytest

from mask_generation.image.superpixels import Superpixels, measure
from mask_generation.methods.geodesic import geodesic
from tests.mask_generation.methods.random_parts import random_parts


def by_relaxation(parts: Superpixels) -> np.ndarray:
    """Bellman and Ford: every edge shortens its ends until none does."""
    count = len(parts.area)
    color = parts.color
    step = np.array(
        [[np.linalg.norm(color[a] - color[b]) for b in range(count)] for a in range(count)]
    )
    smallest = [min(step[a, b] for b in range(count) if parts.touching[a, b]) for a in range(count)]
    step = np.where(step <= np.mean(smallest), 0.0, step)
    length = np.where(parts.on_border, 0.0, np.inf)
    for _ in range(count):
        for a in range(count):
            for b in range(count):
                if parts.touching[a, b]:
                    length[b] = min(length[b], length[a] + step[a, b])
    return length


@pytest.mark.parametrize("seed", range(4))
def test_lengths_are_those_of_bellman_and_ford(seed):
    parts = random_parts(seed)
    expected = by_relaxation(parts)
    np.testing.assert_allclose(geodesic(parts), expected, atol=1e-4)
    assert expected.max() > 1.0


def test_slow_change_of_color_costs_nothing():
    # A column of pieces, each one unit of lightness above the last; every step is the mean of the
    # smallest steps, so none counts.
    labels = np.kron(np.arange(25).reshape(5, 5), np.ones((2, 2), int))
    lab = np.zeros((10, 10, 3))
    lab[..., 0] = labels // 5
    assert geodesic(measure(labels, lab)).max() == 0.0


def test_one_piece_has_no_way_to_go():
    assert geodesic(measure(np.zeros((3, 3), int), np.zeros((3, 3, 3)))).tolist() == [0.0]
