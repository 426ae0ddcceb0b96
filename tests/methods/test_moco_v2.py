"""MoCo's loss as the model puts it together, against the float64 reference; what is queued."""

import keras
import numpy as np
import pytest

import harl_tf
from tests.methods import by_hand as hand
from tests.reference.vectors_numpy import normalize


def make_model(**settings):
    model = harl_tf.MoCoV2(hand.two_convolutions(), **hand.QUEUED | settings)
    return hand.scatter(model)


@pytest.mark.parametrize("symmetric", [False, True])
def test_moco_loss_agrees_with_the_reference(symmetric):
    keras.config.set_dtype_policy("float64")
    model, views = make_model(symmetric=symmetric), hand.make_views()
    online = hand.pooled(hand.maps_of(model.backbone, views))
    target = hand.pooled(hand.maps_of(model.target_backbone, views))
    branch = model.branches["instance"]
    loss = model.loss_terms(*views, training=False)["loss"]
    assert abs(float(loss) - hand.moco_loss(branch, online, target, symmetric)) <= 1e-6


@pytest.mark.parametrize("symmetric", [False, True])
def test_moco_queue_holds_the_second_views_keys_newest_first(symmetric):
    """Two batches of four fill the queue of eight; the loss of a batch is that before its keys."""
    keras.config.set_dtype_policy("float64")
    model, views = make_model(symmetric=symmetric), hand.make_views()
    branch = model.branches["instance"]
    before = branch.queue.keys.numpy()
    terms, carry = model.forward_pass(*views, training=True)
    assert np.array_equal(branch.queue.keys, before), "the queue moves after the step"
    branch.after_step(carry["instance"])
    once = branch.queue.keys.numpy()
    branch.after_step(model.forward_pass(views[1], views[0], training=True)[1]["instance"])
    twice = branch.queue.keys.numpy()

    target = hand.pooled(hand.maps_of(model.target_backbone, views))
    keys = [
        np.stack([normalize(row) for row in rows])
        for rows in hand.heads(branch.targets["projector"], target)
    ]
    np.testing.assert_allclose(once, np.concatenate([keys[1], before[:4]]), atol=1e-9)
    np.testing.assert_allclose(twice, np.concatenate([keys[0], keys[1]]), atol=1e-9)
    online = hand.pooled(hand.maps_of(model.backbone, views))
    branch.queue.push(before[4:])
    branch.queue.push(before[:4])
    expected = hand.moco_loss(branch, online, target, symmetric)
    assert abs(float(terms["loss"]) - expected) <= 1e-6


def test_moco_queue_that_the_batch_does_not_divide_is_refused():
    model = make_model(queue_size=10)
    carry = model.forward_pass(*hand.make_views(), training=True)[1]
    with pytest.raises(ValueError, match=r"such as 8\. Received: queue_size=10 and 4 keys per"):
        model.branches["instance"].after_step(carry["instance"])


@pytest.mark.parametrize("method", [harl_tf.MoCoV2, harl_tf.DenseCL])
def test_moco_temperature_zero_is_refused(method):
    with pytest.raises(ValueError, match=r"temperature > 0.*temperature=0"):
        method(hand.two_convolutions(), temperature=0)
