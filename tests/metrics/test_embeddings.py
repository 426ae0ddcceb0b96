"""The metrics of embeddings against the float64 reference, by hand, and on two replicas."""

import math

import numpy as np
import pytest
import tensorflow as tf

from harl_tf import metrics
from tests.reference import embedding_metrics_numpy as ref

OF_PAIRS = {
    "alignment": (metrics.alignment, ref.alignment),
    "uniformity": (metrics.uniformity, ref.uniformity),
    "contrastive_accuracy": (metrics.contrastive_accuracy, ref.contrastive_accuracy),
    "embedding_std": (
        lambda first, _: metrics.embedding_std(first),
        lambda first, _: spread(first),
    ),
}


def spread(embeddings):
    """√D times the mean over dimensions of the standard deviation of the unit vectors."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    return math.sqrt(unit.shape[1]) * float(np.mean(np.std(unit, axis=0)))


def pairs(batch=6, dimensions=4):
    """Second views near the first ones, near enough for some to be found."""
    random = np.random.default_rng(0)
    first = random.normal(size=(batch, dimensions))
    return 3 * first, first + random.normal(scale=0.7, size=first.shape)


@pytest.mark.parametrize("name", OF_PAIRS)
def test_metric_agrees_with_the_reference(name):
    metric, reference = OF_PAIRS[name]
    first, second = pairs()
    expected = reference(first, second)
    if name == "contrastive_accuracy":
        assert 0 < expected < 1
    value = metric(tf.constant(first), tf.constant(second))
    assert value.dtype == tf.float64
    assert abs(np.mean(value) - expected) <= 1e-9
    half = metric(*(tf.constant(each, tf.float32) for each in (first, second)))
    assert abs(np.mean(half) - expected) <= 1e-5


@pytest.mark.parametrize("name", OF_PAIRS)
def test_mean_over_two_replicas_is_that_of_one_device(name, two_replicas):
    metric, reference = OF_PAIRS[name]
    first, second = pairs(batch=8)

    def of_replica(context):
        start = 4 * context.replica_id_in_sync_group
        return tf.constant(first[start : start + 4]), tf.constant(second[start : start + 4])

    values = two_replicas.experimental_distribute_values_from_function(of_replica)

    @tf.function
    def metrics_of_replicas():
        return two_replicas.run(lambda pair: metric(*pair), (values,))

    found = two_replicas.experimental_local_results(metrics_of_replicas())
    assert abs(np.mean([np.mean(each) for each in found]) - reference(first, second)) <= 1e-9


@pytest.mark.parametrize("name", OF_PAIRS)
def test_metric_has_no_gradient(name):
    first, second = (tf.constant(each) for each in pairs())
    with tf.GradientTape() as tape:
        tape.watch([first, second])
        value = OF_PAIRS[name][0](first, second)
    assert tape.gradient(value, [first, second]) == [None, None]


def test_metrics_of_a_collapsed_network():
    """All embeddings equal: no spread, nothing apart, nobody found, log of exp(0)."""
    same = tf.ones((5, 3))
    assert abs(float(metrics.embedding_std(same))) < 1e-3
    assert not np.any(metrics.alignment(same, 2 * same))
    assert abs(float(metrics.uniformity(same, same))) < 1e-5
    assert not np.any(metrics.contrastive_accuracy(same, same))


def test_metrics_of_orthogonal_embeddings():
    """Four axes, both views equal. Of the 56 ordered pairs of eight, 8 are of partners (distance
    0), 48 of strangers (squared distance 2, potential e^-4). In each dimension one of four is 1:
    σ = √(1/4 - 1/16) = √3/4, times √4."""
    axes = tf.eye(4, dtype=tf.float64)
    assert not np.any(metrics.alignment(axes, axes))
    assert np.all(metrics.contrastive_accuracy(axes, axes) == 1.0)
    assert float(metrics.uniformity(axes, axes)) == pytest.approx(
        math.log((8 + 48 * math.exp(-4)) / 56), rel=1e-12
    )
    assert float(metrics.embedding_std(axes)) == pytest.approx(math.sqrt(3) / 2, rel=1e-12)


def test_contrastive_accuracy_counts_both_views():
    """Angles 0 and 90 degrees, their second views at 9 and 20.

    0 finds 9, 9 finds 0 and 90 finds 20, all partners; 20 finds 9, not 90: three of four.
    """
    angles = np.radians([0.0, 90.0, 9.0, 20.0])
    z = tf.constant(np.stack([np.cos(angles), np.sin(angles)], axis=-1))
    assert float(tf.reduce_mean(metrics.contrastive_accuracy(z[:2], z[2:]))) == 0.75


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_metrics_of_half_precision_are_float32_and_finite(dtype):
    first, second = (tf.cast(100 * each, dtype) for each in pairs())
    for metric, _ in OF_PAIRS.values():
        value = metric(first, second)
        assert value.dtype == tf.float32
        assert np.isfinite(value).all()
