"""DenseCL's loss, its matching included, against Lightly's parts of it."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import dense_contrast, l2_normalize, match_cells, momentum_contrast
from tests import peers

torch = pytest.importorskip("torch", reason=peers.NEEDED)
lightly_loss = pytest.importorskip("lightly.loss", reason=peers.NEEDED)
lightly_models = pytest.importorskip("lightly.models.utils", reason=peers.NEEDED)

BATCH, CELLS, CHANNELS, DIMENSIONS = 3, 9, 12, 8


def arrays(dtype):
    """Features and dense cells of both views, global embeddings of both, both queues."""
    random = np.random.default_rng(0)
    features = random.normal(size=(2, BATCH, CELLS, CHANNELS)).astype(dtype)
    cells = random.normal(size=(2, BATCH, CELLS, DIMENSIONS)).astype(dtype)
    embeddings = random.normal(size=(2, BATCH, DIMENSIONS)).astype(dtype)
    queues = l2_normalize(tf.constant(random.normal(size=(2, 20, DIMENSIONS)).astype(dtype)))
    return features, cells, embeddings, queues.numpy()


def with_queue(queue):
    loss = lightly_loss.NTXentLoss(0.2, memory_bank_size=queue.shape)
    loss.memory_bank.bank = torch.tensor(queue)
    return loss


def test_match_cells_agrees_with_lightly():
    features, *_ = arrays("float64")
    expected = lightly_models.most_similar_index(*torch.tensor(features))
    assert len(set(expected[0].tolist())) > 2
    np.testing.assert_array_equal(match_cells(*tf.constant(features)), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dense_weight", [0.0, 0.5, 1.0])
def test_total_loss_agrees_with_lightly(dense_weight, dtype):
    """(1 - λ) global + λ dense, cells matched by the features of the backbone.

    The queues are given. How they are fed is another matter: Lightly's takes in every cell, the
    paper's one mean per image.
    """
    features, cells, embeddings, (queue, dense_queue) = arrays(dtype)

    def ours(features1, features2, query_cells, key_cells, query, key):
        matches = match_cells(features1, features2)
        whole = tf.reduce_mean(momentum_contrast(query, key, queue))
        dense = tf.reduce_mean(dense_contrast(query_cells, key_cells, matches, dense_queue))
        return (1 - dense_weight) * whole + dense_weight * dense

    def theirs(features1, features2, query_cells, key_cells, query, key):
        matched = lightly_models.select_most_similar(features1, features2, key_cells.detach())
        whole = with_queue(queue)(query, key.detach())
        dense = with_queue(dense_queue)(query_cells.flatten(0, 1), matched.flatten(0, 1))
        return (1 - dense_weight) * whole + dense_weight * dense

    tensors = [*features, *cells, *embeddings]
    peers.assert_same(peers.in_tensorflow(ours, *tensors), peers.in_torch(theirs, *tensors))
