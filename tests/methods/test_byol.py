"""BYOL's loss as the model puts it together, against the float64 reference."""

import keras
import pytest

import harl_tf
from tests.methods import by_hand as hand


@pytest.mark.parametrize("training", [False, True])
def test_byol_loss_agrees_with_the_reference(training):
    """Both directions of predictor against target projector; each view has statistics of its own.
    (With those of both views the loss of training would differ in the first digit.)"""
    keras.config.set_dtype_policy("float64")
    model = hand.scatter(harl_tf.BYOL(hand.two_convolutions(), **hand.SMALL))
    views = hand.make_views()
    online = hand.pooled(hand.maps_of(model.backbone, views))
    target = hand.pooled(hand.maps_of(model.target_backbone, views))
    expected = hand.byol_loss(model.branches["instance"], online, target, training)
    loss = model.loss_terms(*views, training=training)["loss"]
    assert abs(float(loss) - expected) <= 1e-6


def test_byol_of_equal_networks_and_views_is_zero_with_an_identity_predictor():
    """p = t whatever the images: 2 - 2 cos(p, p) = 0, unless p = 0."""
    keras.config.set_dtype_policy("float64")
    model = harl_tf.BYOL(hand.two_convolutions(), **hand.SMALL)
    model.branches["instance"].predictor = keras.Sequential([keras.layers.Identity()])
    view, _ = hand.make_views()
    assert abs(float(model.loss_terms(view, view, training=False)["loss"])) <= 1e-12


def test_byol_heads_have_the_width_they_are_given_and_end_without_normalization():
    """5 channels to 6 to 3, and from there 3 to 6 to 3; the last layer is linear, with a bias."""
    branch = harl_tf.BYOL(hand.two_convolutions(), **hand.SMALL).branches["instance"]
    for head, channels in ((branch.projector, 5), (branch.predictor, 3)):
        kernels = [weight.shape for weight in head.trainable_variables if len(weight.shape) == 2]
        assert kernels == [(channels, 6), (6, 3)]
        assert isinstance(head.layers[-1], keras.layers.Dense)
        assert head.layers[-1].use_bias
