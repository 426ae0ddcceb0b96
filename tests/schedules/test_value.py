"""value_at: numbers and schedules read alike; HARL's step functions are Keras' own class."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.schedules import Cosine, value_at

PiecewiseConstantDecay = keras.optimizers.schedules.PiecewiseConstantDecay


@pytest.mark.parametrize("number", [0.25, 1, np.float64(0.5), np.float32(0.5)])
def test_value_at_a_number_is_the_number(number):
    value = value_at(number, keras.Variable(7, dtype="int32"))
    assert value.dtype == tf.float64
    assert value.shape == ()
    assert float(value) == number


def test_value_at_harl_steps_of_beta():
    """Of 1000 updates: 0.6 until 50 %, 0.4 until 70 %, then 0.2 (released PyTorch code)."""
    beta = PiecewiseConstantDecay([500, 700], [0.6, 0.4, 0.2])
    steps = [0, 499, 500, 501, 700, 701, 1000, 5000]
    expected = [0.6, 0.6, 0.6, 0.4, 0.4, 0.2, 0.2, 0.2]
    np.testing.assert_allclose([value_at(beta, step) for step in steps], expected, rtol=1e-6)


def test_value_at_harl_steps_of_alpha():
    """Of 1000 updates: 0.5 up to 70 %, 0.7 up to 90 %, then 0.9 (released TensorFlow code)."""
    alpha = PiecewiseConstantDecay([700, 900], [0.5, 0.7, 0.9])
    steps = [0, 700, 701, 900, 901, 1000]
    expected = [0.5, 0.5, 0.7, 0.7, 0.9, 0.9]
    np.testing.assert_allclose([value_at(alpha, step) for step in steps], expected, rtol=1e-6)


@pytest.mark.parametrize(
    "schedule", [Cosine(0.0, 1.0, 2), PiecewiseConstantDecay([0, 1], [0.0, 0.5, 1.0])]
)
def test_value_at_follows_the_iterations_of_an_optimizer_within_one_graph(schedule):
    """Both schedules are 0, 1/2, 1 and stay there."""
    weight = keras.Variable(0.0)
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build([weight])

    @tf.function
    def step():
        value = value_at(schedule, optimizer.iterations)
        optimizer.apply([tf.constant(1.0)], [weight])
        return value

    np.testing.assert_allclose([step() for _ in range(4)], [0.0, 0.5, 1.0, 1.0], atol=1e-7)


@pytest.mark.parametrize(
    "schedule", [0.1, Cosine(0.1, 0.1, 5), PiecewiseConstantDecay([3], [0.1, 0.2])]
)
def test_value_at_is_float64_in_any_thread(schedule):
    """Replicas run in threads of their own, which know no dtype policy."""
    value = value_at(schedule, 2)
    assert value.dtype == tf.float64
    # Keras' own schedules compute in floatx, float32.
    tolerance = 1e-8 if isinstance(schedule, PiecewiseConstantDecay) else 1e-16
    assert float(value) == pytest.approx(0.1, abs=tolerance)


class Half(keras.optimizers.schedules.LearningRateSchedule):
    """A user's own schedule, in plain Python."""

    def __call__(self, step):
        return 0.5


def test_value_at_a_schedule_in_plain_python_is_a_tensor():
    value = value_at(Half(), 3)
    assert value.dtype == tf.float64
    assert float(value) == 0.5


@pytest.mark.parametrize("schedule", ["cosine", None, lambda step: 0.5])
def test_value_at_something_else_is_refused(schedule):
    with pytest.raises(TypeError, match=r"Expected a number or a keras.*Schedule. Received: "):
        value_at(schedule, 0)
