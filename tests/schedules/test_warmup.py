"""warmup_cosine against the closed form of its docstring."""

import json
import math

import keras
import numpy as np
import pytest

from harl_tf.schedules import warmup_cosine

ROOT_HALF = math.sqrt(0.5)


@pytest.mark.parametrize("start", [0.0, 0.2])
@pytest.mark.parametrize("peak", [4.8, 1])
def test_warmup_cosine_landmarks(peak, start):
    """Of 100 steps 20 are warm-up: linear over them, then the cosine has 80 to go.

    A quarter of the 80, cos(π/4) = √½, at step 40; half, cos = 0, at 60; the end at 100.
    """
    rate = warmup_cosine(peak, steps=100, warmup_steps=20, start=start)
    expected = {
        0: start,
        5: start + (peak - start) / 4,
        10: (start + peak) / 2,
        20: peak,
        40: peak * (1 + ROOT_HALF) / 2,
        60: peak / 2,
        100: 0.0,
        130: 0.0,
    }
    values = [float(rate(step)) for step in expected]
    np.testing.assert_allclose(values, list(expected.values()), rtol=0, atol=1e-6)


def test_warmup_cosine_whole_numbers_are_no_int_schedule():
    """Keras takes the dtype of the first value; in int32 a peak of 1 would be 0 on the way."""
    rate = warmup_cosine(1, steps=10, warmup_steps=4, start=0)
    assert float(rate(1)) == pytest.approx(0.25, abs=1e-7)
    assert float(warmup_cosine(1, steps=4, warmup_steps=0)(2)) == pytest.approx(0.5, abs=1e-7)


def test_warmup_cosine_without_warmup_starts_at_the_peak():
    rate = warmup_cosine(0.5, steps=40, warmup_steps=0)
    values = [float(rate(step)) for step in (0, 20, 40)]
    np.testing.assert_allclose(values, [0.5, 0.25, 0.0], atol=1e-7)


@pytest.mark.parametrize("warmup_steps", [0, 10])
def test_warmup_cosine_of_numpy_numbers_can_be_written_as_json(warmup_steps):
    arguments = np.float32(0.5), np.int64(40), np.int64(warmup_steps), np.float32(0.25)
    config = json.loads(json.dumps(warmup_cosine(*arguments).get_config()))
    assert config["decay_steps"] == 40 - warmup_steps


def test_warmup_cosine_survives_serialization():
    rate = warmup_cosine(4.8, steps=100, warmup_steps=10, start=0.1)
    schedules = keras.optimizers.schedules
    restored = schedules.deserialize(schedules.serialize(rate))
    steps = (0, 5, 10, 55, 100)
    assert [float(restored(step)) for step in steps] == [float(rate(step)) for step in steps]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 100, 10), r"Expected a finite peak > 0. Received: peak=0.0"),
        ((math.inf, 100, 10), r"Expected a finite peak > 0. Received: peak=inf"),
        ((1.0, 0, 0), r"Expected steps >= 1. Received: steps=0"),
        ((1.0, 100, -1), r"Expected warmup_steps within \[0, steps=100\). Received: .*=-1"),
        ((1.0, 100, 100), r"Expected warmup_steps within \[0, steps=100\). Received: .*=100"),
        ((1.0, 100, 101), r"Expected warmup_steps within \[0, steps=100\). Received: .*=101"),
        ((1.0, 100, 10, -0.1), r"Expected start within \[0, peak=1.0\]. Received: start=-0.1"),
        ((1.0, 100, 10, 1.1), r"Expected start within \[0, peak=1.0\]. Received: start=1.1"),
    ],
)
def test_warmup_cosine_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        warmup_cosine(*arguments)
