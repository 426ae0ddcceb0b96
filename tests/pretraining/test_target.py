"""Target networks: what is copied, what follows, what does not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.pretraining.target import follow, target_copy
from tests.networks import tiny_pyramid


@pytest.fixture
def pair():
    """A network and its target, moved apart."""
    keras.utils.set_random_seed(0)
    online = tiny_pyramid()
    target = target_copy(online)
    random = np.random.default_rng(0)
    for weight in online.weights:
        weight.assign(random.uniform(0.5, 1.5, weight.shape))
    return online, target


def test_copy_starts_equal_and_has_nothing_to_train():
    online = tiny_pyramid()
    for layer in online.weights:
        layer.assign(layer + 0.25)
    target = target_copy(online)
    assert [w.shape for w in target.weights] == [w.shape for w in online.weights]
    for old, new in zip(online.get_weights(), target.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert target.trainable_variables == []
    assert len(online.trainable_variables) == 9  # three convolutions, three scales and offsets


def test_weights_follow_by_the_formula_and_batch_statistics_do_not(pair):
    online, target = pair
    before, source = target.get_weights(), online.get_weights()
    follow([pair], tf.constant(0.75))
    moved = 0
    for weight, old, new, after in zip(
        online.weights, before, source, target.get_weights(), strict=True
    ):
        if "moving" in weight.path:
            np.testing.assert_array_equal(after, old)
        else:
            np.testing.assert_array_equal(after, old * np.float32(0.75) + new * np.float32(0.25))
            moved += not np.array_equal(after, old)
    assert moved == 9


@pytest.mark.parametrize(("momentum", "equals"), [(1.0, "target"), (0.0, "online")])
def test_momentum_one_keeps_the_target_and_zero_takes_the_online_weights(pair, momentum, equals):
    online, target = pair
    kept = (target if equals == "target" else online).get_weights()
    follow([pair], tf.constant(momentum))
    for weight, expected, after in zip(online.weights, kept, target.get_weights(), strict=True):
        if "moving" not in weight.path:
            np.testing.assert_array_equal(after, expected)


def test_target_in_training_makes_batch_statistics_of_its_own(pair):
    _, target = pair
    before = target.get_weights()
    target(np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)), training=True)
    for weight, old, new in zip(target.weights, before, target.get_weights(), strict=True):
        assert np.array_equal(old, new) == ("moving" not in weight.path)


def test_momentum_near_one_still_moves_under_bfloat16():
    """In bfloat16 0.999 is 1; weights are float32 there and so is the average."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    online = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    target = target_copy(online)
    online.layers[0].bias.assign([1.0])
    follow([(online, target)], tf.constant(0.999, tf.float64))
    assert float(target.layers[0].bias[0]) == pytest.approx(0.001, rel=1e-4)
