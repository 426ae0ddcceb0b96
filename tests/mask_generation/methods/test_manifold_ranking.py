import numpy as np
import pytest

from mask_generation.image.superpixels import Superpixels, measure
from mask_generation.methods.manifold_ranking import manifold_ranking
from tests.mask_generation.methods.random_parts import random_parts


def scaled(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / (values.max() - values.min())


def paper(parts: Superpixels) -> np.ndarray:
    """Equations 3 to 7, edge by edge, the ranking by solving a system for every query."""
    count = len(parts.area)
    linked = set()
    for a in range(count):
        for b in range(count):
            through = any(parts.touching[a, c] and parts.touching[c, b] for c in range(count))
            if a != b and (
                parts.touching[a, b] or through or (parts.on_border[a] and parts.on_border[b])
            ):
                linked.add((a, b))
    distance = {(a, b): np.linalg.norm(parts.color[a] - parts.color[b]) for a, b in linked}
    largest = max(distance.values())
    weights = np.zeros((count, count))
    for edge, length in distance.items():
        weights[edge] = np.exp(-10 * length / largest)
    system = np.diag(weights.sum(axis=1)) - 0.99 * weights
    answers = [np.linalg.solve(system, unit) for unit in np.eye(count)]

    def rank(query: np.ndarray) -> np.ndarray:
        # No query's own answer counts for itself.
        others = [np.where(np.arange(count) == k, 0.0, answers[k]) for k in range(count)]
        return np.sum([query[k] * others[k] for k in range(count)], axis=0)

    first = np.ones(count)
    for side in parts.edges:
        query = np.isin(np.arange(count), side).astype(float)
        first = first * (1 - scaled(rank(query)))
    first = scaled(first)
    return scaled(rank((first >= first.mean()).astype(float)))


@pytest.mark.parametrize("seed", range(4))
def test_ranking_is_the_papers(seed):
    parts = random_parts(seed)
    np.testing.assert_allclose(manifold_ranking(parts), paper(parts), atol=1e-8)


def test_pieces_of_one_color_are_not_ranked():
    labels = np.kron(np.arange(9).reshape(3, 3), np.ones((2, 2), int))
    parts = measure(labels, np.full((6, 6, 3), 20.0))
    assert not manifold_ranking(parts).any()
