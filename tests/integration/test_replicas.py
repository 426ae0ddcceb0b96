"""One device and two replicas that share the same global batch must take the same steps."""

import contextlib

import keras
import numpy as np
import pytest

import harl_tf
from tests.networks import tiny_hapicl


def train(strategy, build, views, epochs) -> list[np.ndarray]:
    with strategy.scope() if strategy else contextlib.nullcontext():
        model = build()
    model.fit(
        views.from_epoch(0),
        steps_per_epoch=views.steps_per_epoch,
        epochs=epochs,
        verbose=0,
        shuffle=False,
    )
    return [variable.numpy() for variable in model.variables]


def resnet_hapicl() -> harl_tf.HAPiCL:
    """The real network, at the learning rate of the first steps of a warm-up."""
    keras.utils.set_random_seed(0)
    model = harl_tf.HAPiCL(harl_tf.models.resnet(18, output_stride=16))
    model.compile(keras.optimizers.SGD(5e-4, momentum=0.9))
    return model


def largest_difference(first, second) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(first, second, strict=True) if a.size)


@pytest.mark.parametrize(("policy", "tolerance"), [("float32", 1e-5), ("float64", 1e-8)])
def test_two_replicas_equal_one_device_after_a_step_of_resnet_18(
    records, two_replicas, policy, tolerance
):
    """Rounding turns a few ReLUs near zero on or off, in float32 more than in float64; two
    float32 kernels on one device differ as much. (Colours are float32 under every policy.)"""
    keras.config.set_dtype_policy(policy)
    views = harl_tf.data.PairedViews(records, batch_size=8, image_size=48)
    before = resnet_hapicl().get_weights()
    single = train(None, resnet_hapicl, views, epochs=1)
    double = train(two_replicas, resnet_hapicl, views, epochs=1)
    assert largest_difference(single, double) <= tolerance
    # And it was a step worth comparing.
    assert largest_difference(before[:1], single[:1]) > 20 * tolerance


def test_two_replicas_equal_one_device_after_three_epochs_in_float64(records, two_replicas):
    """In float32 rounding alone drives trajectories apart; in float64 it has no time to."""
    keras.config.set_dtype_policy("float64")
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    single = train(None, tiny_hapicl, views, epochs=3)
    double = train(two_replicas, tiny_hapicl, views, epochs=3)
    assert largest_difference(single, double) <= 1e-8


def test_batch_that_replicas_cannot_share_is_refused(records, two_replicas):
    views = harl_tf.data.PairedViews(records, batch_size=5, image_size=32)
    with two_replicas.scope():
        model = tiny_hapicl()
    with pytest.raises(ValueError, match=r"2 replicas share evenly, such as 4.*batch_size=5"):
        model.fit(views.from_epoch(0), steps_per_epoch=1, verbose=0, shuffle=False)
