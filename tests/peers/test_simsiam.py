"""SimSiam's loss against Lightly."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import cosine_distance
from tests import peers

pytest.importorskip("torch", reason=peers.NEEDED)
lightly_loss = pytest.importorskip("lightly.loss", reason=peers.NEEDED)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_symmetric_loss_agrees_with_lightly(dtype):
    """-cos is half of 2 - 2 cos, minus one. SimSiam takes the mean of both directions."""
    tensors = np.random.default_rng(0).normal(size=(4, 6, 16)).astype(dtype)
    negative_cosine = lightly_loss.NegativeCosineSimilarity()

    def ours(predictions1, predictions2, projections1, projections2):
        forward = cosine_distance(predictions1, projections2) / 2 - 1
        backward = cosine_distance(predictions2, projections1) / 2 - 1
        return tf.reduce_mean((forward + backward) / 2)

    def theirs(predictions1, predictions2, projections1, projections2):
        forward = negative_cosine(predictions1, projections2.detach())
        backward = negative_cosine(predictions2, projections1.detach())
        return (forward + backward) / 2

    peers.assert_same(peers.in_tensorflow(ours, *tensors), peers.in_torch(theirs, *tensors))
