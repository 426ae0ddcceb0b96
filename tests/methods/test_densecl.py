"""DenseCL's loss as the model puts it together, against the float64 reference; what is queued."""

import keras
import numpy as np
import pytest

import harl_tf
from tests.methods import by_hand as hand
from tests.reference.dense_contrast_numpy import dense_contrast, match_cells
from tests.reference.vectors_numpy import normalize


@pytest.mark.parametrize("level", [None, "P1"])
def test_densecl_loss_and_dense_queue_agree_with_the_reference(level):
    """(1 - λ) MoCo of the last map + λ the dense half: the first view's cells, matched by the
    features of both backbones; the second view's mean dense key is queued."""
    keras.config.set_dtype_policy("float64")
    settings = hand.QUEUED | {"dense_weight": 0.3, "level": level}
    model = hand.scatter(harl_tf.DenseCL(hand.two_convolutions(), **settings))
    views = hand.make_views()
    maps = hand.maps_of(model.backbone, views), hand.maps_of(model.target_backbone, views)
    instance = hand.moco_loss(
        model.branches["instance"], *(hand.pooled(each) for each in maps), symmetric=False
    )
    branch = model.branches["dense"]
    features, others = (hand.cells_of(maps[n][n][level or "P2"]) for n in (0, 1))
    queries = hand.head(branch.projector, features)
    keys = hand.head(branch.targets["projector"], others)
    queue = branch.queue.keys.numpy()
    dense = dense_contrast(queries, keys, match_cells(features, others), queue, 0.3).mean()

    terms, carry = model.forward_pass(*views, training=True)
    assert abs(float(terms["loss_instance"]) - instance) <= 1e-6
    assert abs(float(terms["loss_dense"]) - dense) <= 1e-6
    assert abs(float(terms["loss"]) - (0.7 * instance + 0.3 * dense)) <= 1e-6
    branch.after_step(carry["dense"])
    means = np.stack([normalize(row) for row in keys.mean(axis=1)])
    expected = np.concatenate([means, queue[:4]])
    np.testing.assert_allclose(branch.queue.keys, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("weight", [-0.1, 1.1])
def test_densecl_weight_out_of_range_is_refused(weight):
    with pytest.raises(ValueError, match=rf"dense_weight within \[0, 1\].*dense_weight={weight}"):
        harl_tf.DenseCL(hand.two_convolutions(), dense_weight=weight)
