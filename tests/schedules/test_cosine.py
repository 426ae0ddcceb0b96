"""Cosine against its closed form, in every dtype, kind of step and place it is used."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.schedules import Cosine

ROOT_HALF = math.sqrt(0.5)


@pytest.fixture
def floatx():
    """Sets Keras' default dtype for one test."""
    yield keras.config.set_floatx
    keras.config.set_floatx("float32")


@pytest.mark.parametrize(("start", "end"), [(0.5, 1.0), (0.9, 0.0), (0.3, 0.3)])
def test_cosine_quarters_of_the_run(start, end):
    """Of 40 steps: cos is 1, √½, 0, -√½ and -1 at the quarters; (1 - cos)/2 of the way is done.

    Before the run and after it nothing changes.
    """
    steps = [-3, 0, 10, 20, 30, 40, 41, 10**9]
    travelled = np.array([0, 0, (1 - ROOT_HALF) / 2, 0.5, (1 + ROOT_HALF) / 2, 1, 1, 1])
    values = [float(Cosine(start, end, 40)(step)) for step in steps]
    np.testing.assert_allclose(values, start + (end - start) * travelled, rtol=0, atol=1e-7)


def test_cosine_floor_is_the_smallest_value():
    """0.7 (cos + 1)/2 is 0.7, 0.35, 0.1025 and 0; floored at 0.3 the last two are 0.3."""
    schedule = Cosine(0.7, 0.0, 40, floor=0.3)
    values = [float(schedule(step)) for step in (0, 20, 30, 40, 99)]
    np.testing.assert_allclose(values, [0.7, 0.35, 0.3, 0.3, 0.3], atol=1e-7)


def test_cosine_ends_exactly():
    """A momentum that ended below 1 would never bring the target to rest."""
    assert float(Cosine(0.996, 1.0, 12345)(12345)) == 1.0
    assert float(Cosine(0.7, 0.0, 12345)(12345)) == 0.0


@pytest.mark.parametrize(
    "step",
    [
        30,
        30.0,
        np.int64(30),
        np.array(30, "int32"),
        tf.constant(30),
        tf.constant(30, tf.int64),
        tf.constant(30.0, tf.float16),
        tf.Variable(30),
        keras.Variable(30, dtype="int32"),
    ],
    ids=lambda step: type(step).__name__,
)
def test_cosine_takes_any_kind_of_step(step):
    value = Cosine(0.0, 1.0, 60)(step)
    assert value.dtype == tf.float64
    assert value.shape == ()
    assert float(value) == pytest.approx(0.5, abs=1e-7)


def test_cosine_follows_the_step_within_one_graph():
    schedule, step = Cosine(0.0, 1.0, 2), keras.Variable(0, dtype="int32")
    traces = []

    @tf.function
    def advance():
        traces.append(None)
        value = schedule(step)
        step.assign_add(1)
        return value

    np.testing.assert_allclose([advance() for _ in range(4)], [0.0, 0.5, 1.0, 1.0], atol=1e-7)
    assert len(traces) == 1


def test_cosine_keeps_all_digits():
    # cos(π/3) = 1/2: a quarter of the way.
    assert abs(float(Cosine(0.996, 1.0, 3)(1)) - 0.997) <= 1e-15


def test_cosine_half_precision_does_not_reach_the_values(floatx):
    """In bfloat16 step 1001 would be step 1000 and the momentum 0.9995 would be 1."""
    floatx("bfloat16")
    schedule = Cosine(0.999, 1.0, 2002)
    value = schedule(tf.constant(1001))
    assert value.dtype == tf.float64
    assert float(value) == pytest.approx(0.9995, abs=1e-7)
    assert float(schedule(1000)) < float(value)


def test_cosine_long_run_counts_every_step():
    """Steps 2^24 and 2^24 + 1 are the same number in float32, the values still differ."""
    schedule = Cosine(0.0, 1.0, 2**25)
    assert float(schedule(2**24 + 1)) > float(schedule(2**24)) == pytest.approx(0.5, abs=1e-15)


def test_cosine_survives_serialization():
    schedule = Cosine(0.7, 0.1, 40, floor=0.3)
    config = keras.optimizers.schedules.serialize(schedule)
    assert config["registered_name"] == "harl_tf>Cosine"
    restored = keras.optimizers.schedules.deserialize(config)
    assert type(restored) is Cosine
    assert restored.get_config() == {"start": 0.7, "end": 0.1, "steps": 40, "floor": 0.3}


def test_cosine_of_numpy_numbers_can_be_written_as_json():
    """Steps often come from the cardinality of a data set."""
    schedule = Cosine(np.float32(0.5), np.float64(1.0), np.int64(40), floor=np.float32(0.25))
    text = json.dumps(schedule.get_config())
    assert json.loads(text) == {"start": 0.5, "end": 1.0, "steps": 40, "floor": 0.25}


def test_cosine_is_a_learning_rate():
    """Gradients of 1 at rates 1, 1/2 and 0 move a weight by 1.5; counted in updates."""
    weight = keras.Variable(0.0)
    optimizer = keras.optimizers.SGD(Cosine(1.0, 0.0, steps=2))
    optimizer = keras.optimizers.SGD.from_config(optimizer.get_config())
    moved = []
    for _ in range(4):
        optimizer.apply([tf.constant(1.0)], [weight])
        moved.append(float(weight.numpy()))
    np.testing.assert_allclose(moved, [-1.0, -1.5, -1.5, -1.5], atol=1e-7)


@pytest.mark.parametrize(("start", "end"), [(math.nan, 1.0), (0.0, math.inf)])
def test_cosine_values_not_finite(start, end):
    with pytest.raises(ValueError, match=r"Expected finite start and end. Received: start="):
        Cosine(start, end, 10)


@pytest.mark.parametrize("steps", [0, -1])
def test_cosine_steps_out_of_range(steps):
    with pytest.raises(ValueError, match=rf"Expected steps >= 1. Received: steps={steps}"):
        Cosine(0.0, 1.0, steps)


@pytest.mark.parametrize("floor", [0.8, math.nan])
def test_cosine_floor_above_both_values(floor):
    with pytest.raises(ValueError, match=rf"floor of at most 0.7, .* Received: floor={floor}"):
        Cosine(0.7, 0.0, 10, floor=floor)
