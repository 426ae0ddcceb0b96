"""A trend is told from noise."""

import numpy as np
import pytest

from harl_tf.callbacks.trend import trend


def rows(values, name="loss"):
    return [{name: float(value)} for value in values]


def test_slope_is_certain_or_not_by_students_t():
    """Ten values 0.1 apart with alternating noise of ±s.

    The sum of squared epochs is 82.5, so t is about 0.1·√82.5/(s·√(10/8)) = 0.81/s; the limit at
    p = 0.00025 and 8 degrees of freedom is 5.6, which is s = 0.145.
    """
    line, noise = 0.1 * np.arange(10), np.resize([1, -1], 10)
    assert trend(rows(line + 0.11 * noise), "loss").rises
    assert trend(rows(line + 0.2 * noise), "loss").direction == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_values_of_the_window_and_direction(sign):
    """Epochs 6 to 15 of 15."""
    found = trend(rows(sign * np.arange(1.0, 16.0)), "loss")
    assert (found.first, found.last, found.direction) == (sign * 6.0, sign * 15.0, sign)
    assert not found.settled


def test_steep_start_of_a_learning_curve_is_a_fall():
    """The first six losses of a run: on a line over the epochs t is 6, on their logarithm 21."""
    assert trend(rows([4.87, 4.08, 3.78, 3.48, 3.15, 3.06]), "loss").falls


def test_slow_fall_is_seen_over_twenty_values():
    """0.01 an epoch in noise of 0.03: t is 3 over ten epochs, and 8 over twenty."""
    values = 2 - 0.01 * np.arange(20) + 0.03 * np.resize([1, -1, -1, 1, 0], 20)
    assert trend(rows(values[-10:]), "loss").direction == 0
    found = trend(rows(values), "loss")
    assert found.falls
    assert found.first == values[0]


def test_fall_that_has_ended_is_none():
    """Ten steep epochs, then ten without a slope."""
    values = [*np.linspace(3, 2, 10), *(2 + 0.03 * np.resize([1, -1, -1, 1], 10))]
    assert trend(rows(values), "loss").direction == 0


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0], [3.0] * 12, [1.0, 1.0 + 1e-6, 1.0 + 2e-6]])
def test_too_few_or_equal_values_have_no_direction(values):
    assert trend(rows(values), "loss").direction == 0


def test_repeated_values_of_a_probe_count_once():
    """Two steps in ten epochs are three values; as ten they would look like a rise."""
    history = rows([0.40] * 3 + [0.43] * 3 + [0.44] * 4, "knn_accuracy")
    assert trend(history, "knn_accuracy").rises
    assert trend(history, "knn_accuracy", repeats=True).direction == 0


def test_line_of_three_probes_may_be_chance_and_of_five_is_none():
    """Of 25 images: 10, 11, 12, 13 and 14 right."""
    history = rows([0.40, 0.44, 0.48, 0.52, 0.56], "knn_accuracy")
    assert trend(history[:4], "knn_accuracy", repeats=True).direction == 0
    assert trend(history, "knn_accuracy", repeats=True).rises


@pytest.mark.parametrize("images", [12, 25, 100, 1000])
def test_verdicts_of_few_images_are_hardly_ever_of_chance(images):
    """Two hundred trainings of twenty epochs that learn nothing, judged after each epoch."""
    random = np.random.default_rng(images)
    wrong = 0
    for _ in range(200):
        history = rows(random.binomial(images, 0.4, 20) / images, "knn_accuracy")
        parts = (history[:epochs] for epochs in range(1, 21))
        wrong += any(trend(part, "knn_accuracy", repeats=True).direction for part in parts)
    assert wrong <= 6


def test_last_value_unlike_the_others_is_not_settled():
    values = [0.30, 0.31, 0.30, 0.29, 0.30, 0.31, 0.30, 0.29, 0.30]
    assert trend(rows([*values, 0.31], "knn_accuracy"), "knn_accuracy", repeats=True).settled
    jumped = trend(rows([*values, 0.60], "knn_accuracy"), "knn_accuracy", repeats=True)
    assert (jumped.direction, jumped.settled) == (0, False)


def test_metric_that_is_not_there():
    assert trend(rows([1, 2]), "knn_accuracy") is None
    assert trend([{}, {"knn_accuracy": 0.5}], "knn_accuracy").last == 0.5


def test_noise_hardly_ever_has_a_direction():
    """2000 windows of noise, one in a thousand to be expected in either direction."""
    random = np.random.default_rng(0)
    found = [trend(rows(random.normal(2, 0.1, 10)), "loss").direction for _ in range(2000)]
    assert np.count_nonzero(found) <= 8
