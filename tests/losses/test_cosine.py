"""BYOL's distance against the float64 reference, and HARL's terms as it makes them up."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf import distribution
from harl_tf.losses import cosine_distance, region_average
from tests.losses.agreement import assert_agrees
from tests.reference import bootstrap_numpy, pooling_numpy


@pytest.mark.parametrize("shape", [(3,), (1, 4), (5, 3), (2, 3, 4)])
def test_cosine_distance_agrees_with_the_reference(shape):
    inputs = list(np.random.default_rng(0).normal(size=(2, *shape)))
    assert_agrees(cosine_distance, bootstrap_numpy.cosine_distance, inputs, constants=[1])


def test_cosine_distance_at_its_ends():
    """Equal 0, opposite 4, right angle 2, whatever the lengths; a zero vector is at cos 0, so 2."""
    predictions = tf.constant([[3.0, 0.0], [3.0, 0.0], [3.0, 0.0], [0.0, 0.0]])
    targets = tf.constant([[0.5, 0.0], [-2.0, 0.0], [0.0, 9.0], [1.0, 0.0]])
    np.testing.assert_allclose(cosine_distance(predictions, targets), [0, 4, 2, 2], atol=1e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_cosine_distance_half_precision_stays_finite(dtype):
    """200^2 * 4 is beyond float16's 65504; equal vectors are still at 0."""
    vectors = tf.fill((2, 4), tf.cast(200.0, dtype))
    distance = cosine_distance(vectors, vectors)
    assert distance.dtype == tf.float32
    np.testing.assert_allclose(distance, 0.0, atol=1e-6)


def harl_terms(cells1, cells2, targets1, targets2, area1, area2):
    """L_w, L_f, L_b from the cells of two views, (B, N, C), and their foreground shares, (B, N)."""
    regions = []
    for cells, area in ((cells1, area1), (cells2, area2), (targets1, area1), (targets2, area2)):
        weights = tf.stack([tf.ones_like(area), area, 1.0 - area], axis=-1)
        regions.append(region_average(cells, weights))
    one, two, target_one, target_two = regions
    distances = cosine_distance(one.vectors, target_two.vectors)
    distances += cosine_distance(two.vectors, target_one.vectors)
    both = one.present & two.present
    terms = [distribution.share_of_global_mean(distances[:, r], both[:, r]) for r in range(3)]
    return tf.stack(terms)


def harl_terms_in_numpy(cells1, cells2, targets1, targets2, area1, area2):
    pooled = [
        pooling_numpy.harl_regions(cells, area)
        for cells, area in ((cells1, area1), (cells2, area2), (targets1, area1), (targets2, area2))
    ]
    (one, present1), (two, present2), (target_one, _), (target_two, _) = pooled
    totals = bootstrap_numpy.harl(
        one, two, target_one, target_two, present1, present2, alpha=0.7, beta=0.9
    )
    return np.array([totals.whole, totals.foreground, totals.background])


@pytest.mark.parametrize(
    ("area1", "area2"),
    [
        ([[1, 0.5, 0], [0.25, 1, 0]], [[0, 0, 1], [1, 1, 0.5]]),
        ([[0, 0, 0], [1, 0.5, 0]], [[1, 0, 0], [0, 0.5, 0]]),  # no foreground in one view
        ([[1, 1, 1], [1, 1, 1]], [[1, 0, 0], [1, 1, 1]]),  # no background in one, in both
        ([[0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]),  # no foreground anywhere
    ],
)
def test_harl_terms_agree_with_the_reference(area1, area2):
    """Averages of regions and distances together; absent regions must leave means and gradients."""
    inputs = list(np.random.default_rng(1).normal(size=(4, 2, 3, 4)))
    area1, area2 = np.array(area1, float), np.array(area2, float)
    assert_agrees(
        lambda *cells: harl_terms(*cells, tf.constant(area1), tf.constant(area2)),
        lambda *cells: harl_terms_in_numpy(*cells, area1, area2),
        inputs,
        constants=[2, 3],
    )
