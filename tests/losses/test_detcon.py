"""DetCon-B's loss against the float64 reference and by hand, on one replica and on two."""

import math

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import region_contrast
from tests.losses.agreement import assert_agrees
from tests.reference import region_contrast_numpy as ref
from tests.reference.numeric_gradient import numeric_gradient


def vectors(batch, regions, dimensions=3, seed=0):
    """Predictions of both views, targets of both views."""
    return list(np.random.default_rng(seed).normal(size=(4, batch, regions, dimensions)))


def assert_agrees_for(inputs, ids1, ids2, temperature=0.1):
    ids = [np.array(each, np.int32) for each in (ids1, ids2)]
    assert_agrees(
        lambda *tensors: region_contrast(*tensors, *map(tf.constant, ids), temperature),
        lambda *arrays: ref.region_contrast(*arrays, *ids, temperature),
        inputs,
        constants=[2, 3],
    )


@pytest.mark.parametrize(
    ("ids1", "ids2"),
    [
        ([[0, 1, 2], [0, 1, 2]], [[2, 1, 0], [1, 2, 0]]),  # every region once
        ([[0, 0, 1], [3, 3, 3]], [[0, 1, 1], [3, 3, 4]]),  # drawn several times
        ([[0, 1, 1], [5, 6, 6]], [[0, 0, 0], [6, 6, 7]]),  # regions that the other view lacks
        ([[0, 1, 2], [0, 1, 2]], [[3, 4, 5], [0, 1, 2]]),  # nothing in common in image 0
        ([[0, 1, 2]], [[1, 0, 2]]),  # a batch of one
        ([[4]], [[4]]),  # one region of one image: nothing to confuse it with
    ],
)
def test_region_contrast_agrees_with_the_reference(ids1, ids2):
    assert_agrees_for(vectors(*np.shape(ids1)), ids1, ids2)


@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_region_contrast_temperatures_agree_with_the_reference(temperature):
    ids = np.random.default_rng(3).integers(0, 3, (2, 3, 2))
    assert_agrees_for(vectors(3, 2), *ids, temperature)


def test_region_contrast_equal_vectors_count_candidates():
    """Two images, M = 4, so 8 targets per view; image 0 has the ids 0 0 0 5 and 0 0 5 5.

    View 1: region 0 three times, 8 + 8 - 3 = 13 candidates, a third of the weight each, together
    log 13; region 5 once, log 15. View 2: both regions twice, 8 + 8 - 2 = 14, together log 14
    each. Divided by M. Image 1 has four regions in order in view 1 and reversed in view 2: log 15
    for every anchor.
    """
    ids1 = tf.constant([[0, 0, 0, 5], [0, 1, 2, 3]])
    ids2 = tf.constant([[0, 0, 5, 5], [3, 2, 1, 0]])
    ones = [tf.fill((2, 4, 3), tf.constant(scale, tf.float64)) for scale in (1.0, 2.0, 3.0, 4.0)]
    first = (math.log(13) + math.log(15) + 2 * math.log(14)) / 4
    losses = region_contrast(*ones, ids1, ids2)
    np.testing.assert_allclose(losses, [first, 2 * math.log(15)], rtol=1e-12)


def test_region_contrast_several_positives_average_their_cross_entropies():
    """One anchor e1 of region 0 twice in view 2, at 1 and 0, τ = 1.

    View 1 has two anchors e1 of region 0 and no other candidates: each costs log(e + 1) - 1/2 with
    the weight 1/2, M = 2, so half of it in all. In view 2 both anchors are zero vectors: two
    positives at 0 and nothing else, log 2 each, half of it in all.
    """
    zeros = tf.zeros((1, 2, 2), tf.float64)
    predictions1 = tf.constant([[[1.0, 0.0], [1.0, 0.0]]], tf.float64)
    targets2 = tf.constant([[[2.0, 0.0], [0.0, 2.0]]], tf.float64)
    ids = tf.constant([[0, 0]])
    losses = region_contrast(predictions1, zeros, zeros, targets2, ids, ids, 1.0)
    expected = (math.log(math.e + 1) - 0.5) / 2 + math.log(2) / 2
    np.testing.assert_allclose(losses, [expected], rtol=1e-12)


def test_region_contrast_same_id_in_another_image_is_a_negative():
    """Image b's only region points to e_b in all four; ids are equal, τ = 1, B = 2.

    The positive is at 1, the other image's two targets at 0: log(e + 2) - 1 per direction.
    """
    u, ids = tf.eye(2, dtype=tf.float64)[:, None], tf.constant([[7], [7]])
    losses = region_contrast(u, u, u, u, ids, ids, 1.0)
    np.testing.assert_allclose(losses, [2 * (math.log(math.e + 2) - 1)] * 2, rtol=1e-12)


def test_region_contrast_zero_predictions_stay_finite():
    """An absent region's average is a zero vector."""
    inputs = [tf.constant(each) for each in vectors(2, 2)]
    inputs[0] = inputs[0] * tf.constant([0.0, 1.0], tf.float64)[:, None]
    ids = tf.constant([[0, 1], [0, 1]])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        losses = region_contrast(*inputs, ids, ids)
    assert np.isfinite(losses).all()
    for gradient in tape.gradient(losses, inputs[:2]):
        assert np.isfinite(gradient).all()


def test_region_contrast_targets_of_all_replicas_are_negatives(two_replicas):
    """Two replicas with two images each return what one device returns for all four."""
    inputs = vectors(4, 2)
    ids = np.random.default_rng(1).integers(0, 3, (2, 4, 2)).astype(np.int32)

    def of_replica(context):
        rows = slice(2 * context.replica_id_in_sync_group, 2 * context.replica_id_in_sync_group + 2)
        return [tf.constant(each[rows]) for each in (*inputs, *ids)]

    @tf.function
    def loss_and_gradient(arguments):
        predictions = arguments[0]
        with tf.GradientTape() as tape:
            tape.watch(predictions)
            losses = region_contrast(*arguments)
            total = tf.reduce_sum(losses) / 4.0
        return losses, tape.gradient(total, predictions)

    arguments = [
        two_replicas.experimental_distribute_values_from_function(
            lambda context, place=place: of_replica(context)[place]
        )
        for place in range(6)
    ]
    losses, gradients = two_replicas.run(loss_and_gradient, args=(arguments,))
    losses = np.concatenate(two_replicas.experimental_local_results(losses))
    gradients = np.concatenate(two_replicas.experimental_local_results(gradients))
    np.testing.assert_allclose(losses, ref.region_contrast(*inputs, *ids), rtol=0, atol=1e-6)
    expected = numeric_gradient(
        lambda p: np.mean(ref.region_contrast(p, *inputs[1:], *ids)), inputs[0]
    )
    np.testing.assert_allclose(gradients, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_region_contrast_half_precision_stays_finite(dtype):
    """Two images of one region, all alike, at τ = 0.01: of three terms e^100 one is right."""
    same, ids = tf.ones((2, 1, 8), dtype), tf.zeros((2, 1), tf.int32)
    with tf.GradientTape() as tape:
        tape.watch(same)
        losses = region_contrast(same, same, same, same, ids, ids, 0.01)
    np.testing.assert_allclose(losses, 2 * math.log(3), rtol=1e-4)
    assert np.isfinite(tf.cast(tape.gradient(losses, same), tf.float32)).all()


@pytest.mark.parametrize("temperature", [0.0, -0.2])
def test_region_contrast_temperature_out_of_range(temperature):
    ones, ids = tf.ones((1, 2, 2)), tf.constant([[0, 1]])
    with pytest.raises(ValueError, match=r"Expected temperature > 0. Received: temperature="):
        region_contrast(ones, ones, ones, ones, ids, ids, temperature)
