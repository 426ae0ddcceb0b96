import keras
import numpy as np
import pytest

from harl_tf.pretraining.finite import first_not_finite


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_first_variable_that_is_not_finite_is_named(value):
    layers = [keras.layers.Dense(3, name="first"), keras.layers.Dense(1, name="last")]
    model = keras.Sequential([keras.Input((2,)), *layers], name="net")
    assert first_not_finite(model) is None
    for layer in reversed(model.layers):
        layer.bias.assign(np.full(layer.bias.shape, value))
    assert first_not_finite(model) == "net/first/bias"


def test_moving_statistics_in_half_precision_are_looked_at():
    """bfloat16 is not one of NumPy's own dtypes."""
    layer = keras.layers.BatchNormalization(dtype="bfloat16", name="norm")
    model = keras.Sequential([keras.Input((2,)), layer], name="net")
    assert first_not_finite(model) is None
    layer.moving_variance.assign([1.0, np.inf])
    assert first_not_finite(model) == "net/norm/moving_variance"
