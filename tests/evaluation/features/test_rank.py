"""The effective rank where it has a closed form."""

import math

import numpy as np
import pytest

from harl_tf.evaluation import effective_rank


def with_singular_values(values, images, dimensions, seed=0):
    random = np.random.default_rng(seed)
    left, _ = np.linalg.qr(random.normal(size=(images, len(values))))
    right, _ = np.linalg.qr(random.normal(size=(dimensions, len(values))))
    return (left * values) @ right.T


@pytest.mark.parametrize("dimensions", [1, 2, 17])
def test_rank_of_the_identity_is_its_size(dimensions):
    assert effective_rank(3.0 * np.eye(dimensions)) == pytest.approx(dimensions)


@pytest.mark.parametrize("shape", [(30, 8), (8, 30), (1, 5), (5, 1)])
def test_vectors_on_one_line_have_rank_one(shape):
    vectors = np.outer(np.arange(1, shape[0] + 1), np.arange(1, shape[1] + 1))
    assert effective_rank(vectors) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (3.0, 1.0), (1e3, 1.0)])
@pytest.mark.parametrize("shape", [(40, 9), (9, 40)])
def test_two_singular_values(a, b, shape):
    """Shares a/(a+b) and b/(a+b): exp of their entropy is Π p^-p, 2 if they are equal."""
    p, q = a / (a + b), b / (a + b)
    expected = p**-p * q**-q
    assert effective_rank(with_singular_values([a, b], *shape)) == pytest.approx(expected, 1e-6)


def test_rank_equals_that_of_numpy_singular_values():
    vectors = np.random.default_rng(0).normal(size=(50, 20)) ** 2
    values = np.linalg.svd(vectors, compute_uv=False)
    shares = values / values.sum()
    expected = math.exp(-sum(share * math.log(share) for share in shares))
    assert effective_rank(vectors) == pytest.approx(expected, 1e-9)
    assert effective_rank(vectors.T) == pytest.approx(expected, 1e-9)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_scale_does_not_matter(scale):
    vectors = np.random.default_rng(0).normal(size=(9, 4))
    assert effective_rank(scale * vectors) == pytest.approx(effective_rank(vectors))


def test_vectors_that_became_one_have_rank_one_in_spite_of_rounding():
    """Around their mean the rounding errors alone would count, with a rank above 10 of 16."""
    random = np.random.default_rng(0)
    vectors = random.random(16) * (1 + 1e-7 * random.normal(size=(200, 16)))
    assert effective_rank(vectors.astype(np.float32)) == pytest.approx(1.0, abs=1e-3)
    assert effective_rank(vectors - vectors.mean(axis=0)) > 10


def test_rank_of_nothing_but_zeros_is_zero():
    assert effective_rank(np.zeros((3, 2))) == 0.0


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.zeros((0, 3)), "at least one vector. Received: none"),
        (np.zeros(3), r"of shape \(images, dimensions\). Received: shape \(3,\)"),
        (np.array([[1.0, np.inf], [1, 1]]), "finite numbers.*in 1 of 2 vectors"),
    ],
)
def test_what_is_no_table_of_vectors_is_refused(vectors, message):
    with pytest.raises(ValueError, match=message):
        effective_rank(vectors)
