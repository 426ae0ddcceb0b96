"""SimCLR's loss against Lightly."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import nt_xent
from tests import peers

pytest.importorskip("torch", reason=peers.NEEDED)
lightly_loss = pytest.importorskip("lightly.loss", reason=peers.NEEDED)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("temperature", [0.07, 0.2, 1.0])
@pytest.mark.parametrize("batch", [2, 9])
def test_nt_xent_agrees_with_lightly(batch, temperature, dtype):
    """Lightly gives the mean of the 2 B rows."""
    views = np.random.default_rng(0).normal(size=(2, batch, 16)).astype(dtype)
    theirs = lightly_loss.NTXentLoss(temperature=temperature)
    peers.assert_same(
        peers.in_tensorflow(lambda a, b: tf.reduce_mean(nt_xent(a, b, temperature)), *views),
        peers.in_torch(theirs, *views),
    )
