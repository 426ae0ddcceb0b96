"""BYOL's loss, its target network and the schedule of that, against Lightly."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import cosine_distance
from harl_tf.pretraining.target import follow, target_copy
from harl_tf.schedules import Cosine
from tests import peers

torch = pytest.importorskip("torch", reason=peers.NEEDED)
lightly_loss = pytest.importorskip("lightly.loss", reason=peers.NEEDED)
lightly_models = pytest.importorskip("lightly.models.utils", reason=peers.NEEDED)
lightly_scheduler = pytest.importorskip("lightly.utils.scheduler", reason=peers.NEEDED)


def symmetric_distance(predictions1, predictions2, targets1, targets2):
    both = cosine_distance(predictions1, targets2) + cosine_distance(predictions2, targets1)
    return tf.reduce_mean(both)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_symmetric_loss_agrees_with_lightly(dtype):
    """2 - 2 cos is 2 plus twice the negative cosine; Lightly leaves the targets to the caller."""
    tensors = np.random.default_rng(0).normal(size=(4, 6, 16)).astype(dtype)
    negative_cosine = lightly_loss.NegativeCosineSimilarity()

    def theirs(predictions1, predictions2, targets1, targets2):
        forward = negative_cosine(predictions1, targets2.detach())
        backward = negative_cosine(predictions2, targets1.detach())
        return (2 + 2 * forward) + (2 + 2 * backward)

    peers.assert_same(
        peers.in_tensorflow(symmetric_distance, *tensors), peers.in_torch(theirs, *tensors)
    )


def test_each_row_agrees_with_pixel_level_contrastive_learning():
    """That package has BYOL's loss row by row, for PixPro's instance branch."""
    name = "pixel_level_contrastive_learning.pixel_level_contrastive_learning"
    package = pytest.importorskip(name, reason=peers.NEEDED)
    predictions, targets = np.random.default_rng(0).normal(size=(2, 6, 16))

    def ours(prediction, target):
        return tf.tensordot(tf.range(6.0, dtype=tf.float64), cosine_distance(prediction, target), 1)

    def theirs(prediction, target):
        rows = package.loss_fn(prediction, target.detach())
        return sum(row * rows[row] for row in range(6))

    peers.assert_same(
        peers.in_tensorflow(ours, predictions, targets),
        peers.in_torch(theirs, predictions, targets),
    )


@pytest.mark.parametrize("start", [0.99, 0.996])
def test_cosine_agrees_with_lightly(start):
    """Lightly is at the end at its last step, ours after its last: one more step makes the same."""
    steps = 20
    ours = Cosine(start, 1.0, steps)
    theirs = [
        lightly_scheduler.cosine_schedule(step, steps + 1, start, 1.0) for step in range(steps + 1)
    ]
    np.testing.assert_allclose([ours(step) for step in range(steps + 1)], theirs, rtol=0, atol=1e-7)


def test_target_network_agrees_with_lightly_over_steps():
    """Weights, scale and offset follow; the statistics of the batch normalisation stay as they are.

    Keras has weights as (inputs, units), PyTorch as (units, inputs).
    """
    online = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization()]
    )
    target = target_copy(online)
    their_online, their_target = (
        torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)) for _ in range(2)
    )
    copy_parameters(target, their_target)

    random = np.random.default_rng(0)
    steps = 5
    schedule = Cosine(0.5, 1.0, steps)
    for step in range(steps):
        online.set_weights([random.normal(size=weight.shape) for weight in online.weights])
        copy_parameters(online, their_online)
        follow([(online, target)], schedule(step))
        tau = lightly_scheduler.cosine_schedule(step, steps + 1, 0.5, 1.0)
        lightly_models.update_momentum(their_online, their_target, tau)
        kernel, *vectors = target.get_weights()
        expected_kernel, *expected = [each.detach().numpy() for each in their_target.parameters()]
        np.testing.assert_allclose(kernel.T, expected_kernel, rtol=0, atol=1e-6)
        np.testing.assert_allclose(vectors[:3], expected, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(vectors[3:], [[0.0] * 4, [1.0] * 4])


def copy_parameters(model, network):
    kernel, *vectors = model.get_weights()
    # PyTorch's batch statistics are no parameters, ours come last.
    for parameter, value in zip(network.parameters(), [kernel.T, *vectors[:3]], strict=True):
        parameter.data = torch.tensor(value)
