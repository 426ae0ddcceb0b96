"""The two reductions of the released HAPiCLR code against the float64 reference and by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import pixel_contrast_per_batch, pixel_contrast_per_image
from tests.losses.agreement import assert_agrees
from tests.reference import hapicl_numpy as ref
from tests.reference.numeric_gradient import numeric_gradient

BOTH = pytest.mark.parametrize(
    ("loss", "reference"),
    [
        (pixel_contrast_per_image, ref.pixel_contrast_per_image),
        (pixel_contrast_per_batch, ref.pixel_contrast_per_batch),
    ],
    ids=["per_image", "per_batch"],
)


def assert_agrees_for(loss, reference, inputs, y1, y2, temperature=0.2):
    y1, y2 = np.array(y1, np.int32), np.array(y2, np.int32)
    assert_agrees(
        lambda u, v: loss(u, v, tf.constant(y1), tf.constant(y2), temperature),
        lambda u, v: reference(u, v, y1, y2, temperature),
        inputs,
    )


@BOTH
@pytest.mark.parametrize("temperature", [0.1, 0.2, 1.0])
@pytest.mark.parametrize(("batch", "regions"), [(1, 2), (3, 2), (3, 4)])
def test_pooled_agrees_with_the_reference(loss, reference, batch, regions, temperature):
    """Gradients flow into both views; the views have 4 and 5 cells."""
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(batch, cells, 3)) for cells in (4, 5)]
    labels = [random.integers(0, regions, (batch, cells)) for cells in (4, 5)]
    assert_agrees_for(loss, reference, inputs, *labels, temperature)


@BOTH
def test_pooled_views_of_one_region_agree_with_the_reference(loss, reference):
    """All foreground (Q = 0), no region in common (P = 0), one region in one view only."""
    inputs = list(np.random.default_rng(1).normal(size=(2, 3, 2, 3)))
    y1, y2 = [[1, 1], [0, 0], [1, 0]], [[1, 1], [1, 1], [0, 0]]
    assert_agrees_for(loss, reference, inputs, y1, y2)


def test_pooled_per_image_by_hand():
    """Cells e1, e2 in either view, one region each, τ = 1: P = 2e, Q = 2."""
    cells = tf.eye(2, dtype=tf.float64)[None]
    regions = tf.constant([[1, 0]])
    loss = pixel_contrast_per_image(cells, 3 * cells, regions, regions, 1.0)
    expected = math.log((2 * math.e + 4) / (2 * math.e + 1))
    np.testing.assert_allclose(loss, [expected], rtol=1e-12)


def test_pooled_per_batch_shares_its_denominator():
    """Two images of 2 × 2 equal cells at τ = 1: eight terms e in all.

    Image 0 is all foreground (P = 4e), image 1 has P = 2e.
    """
    cells = tf.ones((2, 2, 3), tf.float64)
    regions = tf.constant([[1, 1], [1, 0]])
    loss = pixel_contrast_per_batch(cells, cells, regions, regions, 1.0)
    e = math.e
    expected = [math.log(8 * e / (4 * e + 1e-5)), math.log(8 * e / (2 * e + 1e-5))]
    np.testing.assert_allclose(loss, expected, rtol=1e-12)


@BOTH
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_pooled_half_precision_stays_finite(loss, reference, dtype):
    """At τ = 0.01 the terms reach e^100, beyond float32's e^88; in image 1 P is 0."""
    u, v = (tf.cast(u, dtype) for u in np.random.default_rng(2).normal(size=(2, 2, 49, 4)))
    y1 = tf.ones((2, 49), tf.int32)
    y2 = tf.stack([tf.range(49) % 2, tf.zeros(49, tf.int32)])
    with tf.GradientTape() as tape:
        tape.watch([u, v])
        losses = loss(u, v, y1, y2, 0.01)
    assert losses.dtype == tf.float32
    assert np.isfinite(losses).all()
    for gradient in tape.gradient(losses, [u, v]):
        assert np.isfinite(tf.cast(gradient, tf.float32)).all()


def test_pooled_per_batch_denominator_spans_the_replicas(two_replicas):
    """One image on each of two replicas: values and gradients are those of one device with both."""
    random = np.random.default_rng(3)
    u, v = random.normal(size=(2, 2, 3, 4))
    y1, y2 = random.integers(0, 2, (2, 2, 3)).astype(np.int32)

    @tf.function
    def loss_and_gradient(arguments):
        with tf.GradientTape() as tape:
            tape.watch(arguments[0])
            losses = pixel_contrast_per_batch(*arguments)
            total = tf.reduce_sum(losses) / 2.0
        return losses, tape.gradient(total, arguments[0])

    arguments = [
        two_replicas.experimental_distribute_values_from_function(
            lambda context, each=each: tf.constant(each[context.replica_id_in_sync_group][None])
        )
        for each in (u, v, y1, y2)
    ]
    losses, gradients = two_replicas.run(loss_and_gradient, args=(arguments,))
    losses = np.concatenate(two_replicas.experimental_local_results(losses))
    gradients = np.concatenate(two_replicas.experimental_local_results(gradients))
    expected = ref.pixel_contrast_per_batch(u, v, y1, y2)
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-6)
    slope = numeric_gradient(lambda x: np.mean(ref.pixel_contrast_per_batch(x, v, y1, y2)), u)
    np.testing.assert_allclose(gradients, slope, rtol=0, atol=1e-6)


@BOTH
@pytest.mark.parametrize("temperature", [0.0, -0.2])
def test_pooled_temperature_out_of_range(loss, reference, temperature):
    cells, ids = tf.ones((1, 2, 2)), tf.constant([[0, 1]])
    with pytest.raises(ValueError, match=r"Expected temperature > 0. Received: temperature="):
        loss(cells, cells, ids, ids, temperature)
