"""MoCo's loss and its queue, over several steps, against Lightly."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.layers import KeyQueue
from harl_tf.losses import l2_normalize, momentum_contrast
from tests import peers

torch = pytest.importorskip("torch", reason=peers.NEEDED)
lightly_loss = pytest.importorskip("lightly.loss", reason=peers.NEEDED)

BATCH, BATCHES_IN_QUEUE, DIMENSIONS = 4, 3, 8


def with_queue(queue, temperature):
    """Lightly's loss with a queue of our choice."""
    loss = lightly_loss.NTXentLoss(temperature, memory_bank_size=queue.shape)
    loss.memory_bank.bank = torch.tensor(queue)
    return loss


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("temperature", [0.07, 0.2])
def test_momentum_contrast_agrees_with_lightly(temperature, dtype):
    """Lightly's bank holds normalised keys, and the keys it is given are cut off by the caller."""
    random = np.random.default_rng(0)
    queries, keys = random.normal(size=(2, 6, 16)).astype(dtype)
    queue = l2_normalize(tf.constant(random.normal(size=(32, 16)).astype(dtype))).numpy()
    theirs = with_queue(queue, temperature)
    peers.assert_same(
        peers.in_tensorflow(
            lambda q, k: tf.reduce_mean(momentum_contrast(q, k, queue, temperature)), queries, keys
        ),
        peers.in_torch(lambda q, k: theirs(q, k.detach()), queries, keys),
    )


def test_queue_and_loss_agree_with_lightly_over_steps():
    """Loss first, push second: a key is no negative in its own step. Twice around the queue.

    Lightly writes into a ring, from its first row on, and ours has the newest keys first. So the
    ring from the oldest batch on, batches reversed, is our queue.
    """
    random = np.random.default_rng(0)
    ring = l2_normalize(tf.constant(random.normal(size=(BATCHES_IN_QUEUE * BATCH, DIMENSIONS))))
    theirs = with_queue(ring.numpy(), temperature=0.2)

    def newest_first(step):
        batches = theirs.memory_bank.bank.numpy().reshape(BATCHES_IN_QUEUE, BATCH, DIMENSIONS)
        return np.roll(batches, -step, axis=0)[::-1].reshape(-1, DIMENSIONS)

    queue = KeyQueue(BATCHES_IN_QUEUE * BATCH, DIMENSIONS, dtype="float64")
    queue.set_weights([newest_first(0)])
    for step in range(2 * BATCHES_IN_QUEUE):
        queries, keys = random.normal(size=(2, BATCH, DIMENSIONS))
        ours = tf.reduce_mean(
            momentum_contrast(tf.constant(queries), tf.constant(keys), queue.keys)
        )
        queue.push(tf.constant(keys))
        expected = theirs(torch.tensor(queries, requires_grad=True), torch.tensor(keys))
        np.testing.assert_allclose(ours, expected.detach(), rtol=0, atol=1e-12)
        np.testing.assert_allclose(queue.keys, newest_first(step + 1), rtol=0, atol=1e-12)
