"""DetCon-B's pooling and loss against Lightly."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import region_average, region_contrast
from tests import peers

torch = pytest.importorskip("torch", reason=peers.NEEDED)
lightly_loss = pytest.importorskip("lightly.loss", reason=peers.NEEDED)
lightly_models = pytest.importorskip("lightly.models.utils", reason=peers.NEEDED)

# Lightly counts regions in float32 whatever the tensors are: a third is not exact there.
TOLERANCE = {"float32": 1e-5, "float64": 1e-6}

REGIONS = {
    "each_once": ([[0, 1, 2, 3]] * 3, [[3, 2, 1, 0]] * 3),
    "drawn_repeatedly": ([[0, 0, 0, 1], [2, 2, 1, 1], [0, 1, 2, 3]], [[0, 0, 1, 1]] * 3),
    "lacking_in_the_other_view": ([[0, 1, 5, 5], [4, 4, 4, 4], [0, 1, 2, 3]], [[0, 1, 2, 2]] * 3),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("regions", REGIONS)
def test_region_contrast_agrees_with_lightly(regions, temperature, dtype):
    """Ours has a value per image, Lightly the mean; both add up the directions."""
    ids = np.array(REGIONS[regions])
    tensors = np.random.default_rng(0).normal(size=(4, 3, 4, 8)).astype(dtype)
    loss = lightly_loss.DetConBLoss(temperature, gather_distributed=False)

    def ours(*predictions_and_targets):
        return tf.reduce_mean(region_contrast(*predictions_and_targets, *ids, temperature))

    def theirs(predictions1, predictions2, targets1, targets2):
        targets = targets1.detach(), targets2.detach()
        return loss(predictions1, predictions2, *targets, *torch.tensor(ids))

    peers.assert_same(
        peers.in_tensorflow(ours, *tensors), peers.in_torch(theirs, *tensors), TOLERANCE[dtype]
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_region_average_agrees_with_lightly(dtype):
    """Lightly has channels before cells and one id per cell. Region 3 is absent: zeros."""
    random = np.random.default_rng(0)
    features = random.normal(size=(2, 4, 5, 6)).astype(dtype)
    ids = random.integers(0, 3, size=(2, 4, 5))
    weighting = random.normal(size=(2, 4, 6)).astype(dtype)

    def ours(features):
        weights = tf.one_hot(ids.reshape(2, 20), 4, dtype=features.dtype)
        vectors, present = region_average(tf.reshape(features, (2, 20, 6)), weights)
        np.testing.assert_array_equal(present, [[True, True, True, False]] * 2)
        return tf.reduce_sum(vectors * weighting)

    def theirs(features):
        pooled = lightly_models.pool_masked(features.movedim(-1, 1), torch.tensor(ids), num_cls=4)
        return (pooled.movedim(1, -1) * torch.tensor(weighting)).sum()

    peers.assert_same(peers.in_tensorflow(ours, features), peers.in_torch(theirs, features))
