"""What replaces tensorflow-addons, against values that version 0.23.0 computed.

``make_tfa_golden.py`` wrote them. There is a test for each claim of ``docs/tensorflow_addons.md``.
"""

import json
import pathlib

import keras
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from harl_tf.layers import RandomColor, random_color

GOLDEN = dict(np.load(pathlib.Path(__file__).with_name("tfa_golden.npz")))
SETTINGS = json.loads(str(GOLDEN["settings"]))


def golden(function, case):
    """Arrays and settings of one case."""
    prefix = f"{function}/{case}/"
    arrays = {key.removeprefix(prefix): GOLDEN[key] for key in GOLDEN if key.startswith(prefix)}
    return arrays, SETTINGS[f"{function}/{case}"]


def assert_equal(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("case", ["distinct", "groups"])
def test_npairs_loss_is_cross_entropy_with_equal_labels(case):
    arrays, _ = golden("npairs_loss", case)
    equal = (arrays["y_true"][:, None] == arrays["y_true"]).astype("float32")
    y_pred = tf.constant(arrays["y_pred"])
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        shares = equal / equal.sum(axis=1, keepdims=True)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)(shares, y_pred)
    assert_equal(loss, arrays["loss"])
    assert_equal(tape.gradient(loss, y_pred), arrays["gradient"])


def by_variable(arrays, name):
    """The columns of each variable, in the order they had; the kernel as a matrix."""
    columns = arrays["columns"].tolist()
    result = {}
    for variable in dict.fromkeys(columns):
        chosen = arrays[name][..., [column == variable for column in columns]]
        shape = (-1, 3) if variable == "kernel" else (-1,)
        result[variable] = chosen.reshape(*chosen.shape[:-1], *shape)
    return result


def follow_keras(optimizer, arrays, exclude=(), steps=None, average=False):
    """Values after each step, variables joined as in the golden arrays."""
    starts, gradients = by_variable(arrays, "start"), by_variable(arrays, "gradients")
    variables = [keras.Variable(start, name=name) for name, start in starts.items()]
    if exclude:
        optimizer.exclude_from_weight_decay(var_names=list(exclude))
    values = []
    for step in range(steps or len(arrays["gradients"])):
        optimizer.apply([tf.constant(g[step]) for g in gradients.values()], variables)
        values.append(np.concatenate([np.ravel(variable) for variable in variables]))
    if average:
        optimizer.finalize_variable_values(variables)
        values.append(np.concatenate([np.ravel(variable) for variable in variables]))
    return np.array(values)


def keras_lamb(settings):
    names = ("learning_rate", "epsilon", "weight_decay")
    return keras.optimizers.Lamb(**{name: settings[name] for name in names})


def test_lamb_without_decay_is_keras_lamb_of_the_same_epsilon():
    arrays, settings = golden("lamb", "no_decay")
    assert (settings["weight_decay"], settings["epsilon"]) == (0, 1e-6)
    assert_equal(follow_keras(keras_lamb(settings), arrays), arrays["values"])
    assert keras.optimizers.Lamb().epsilon == 1e-7


def test_lamb_with_decay_differs_from_keras_lamb_by_where_the_decay_stands():
    """First step, where u = g / (|g| + ε): with η the rate and λ the decay,

    tensorflow-addons   w - η ‖w‖ (u + λw) / ‖u + λw‖
    Keras               (1 - ηλ) (w - η ‖w‖ u / ‖u‖), as ‖(1 - ηλ) w‖ = (1 - ηλ) ‖w‖
    """
    arrays, settings = golden("lamb", "decay")
    values = follow_keras(keras_lamb(settings), arrays, steps=1)
    kernel = arrays["columns"] == "kernel"
    w, g = arrays["start"][kernel].astype(float), arrays["gradients"][0, kernel].astype(float)
    rate, decay = settings["learning_rate"], settings["weight_decay"]
    u = g / (np.abs(g) + settings["epsilon"])
    norm, inside = np.linalg.norm, u + decay * w
    assert_equal(arrays["values"][0, kernel], w - rate * norm(w) * inside / norm(inside))
    of_keras = (1 - rate * decay) * (w - rate * norm(w) * u / norm(u))
    assert_equal(values[0, kernel], of_keras)
    assert np.abs(values[0, kernel] - arrays["values"][0, kernel]).max() > 1e-3


def test_lamb_in_keras_keeps_the_trust_ratio_of_what_is_excluded_from_decay():
    """First step of ``bias``: Keras' is longer by ‖w‖ / ‖u‖ with u = g / (|g| + ε)."""
    arrays, settings = golden("lamb", "decay_except_bias")
    values = follow_keras(keras_lamb(settings), arrays, exclude=["bias"], steps=1)
    bias = arrays["columns"] == "bias"
    start, g = arrays["start"][bias], arrays["gradients"][0, bias]
    ratio = np.linalg.norm(start) / np.linalg.norm(g / (np.abs(g) + settings["epsilon"]))
    assert abs(ratio - 1) > 0.1
    assert_equal(values[0, bias] - start, ratio * (arrays["values"][0, bias] - start))


@pytest.mark.parametrize("case", ["adamw", "sgdw"])
def test_weight_decay_was_not_multiplied_by_the_rate(case):
    """Keras shrinks by rate times decay, so decay there has to be divided by the rate here."""
    arrays, settings = golden("decoupled_decay", case)
    rates = settings | {"weight_decay": settings["weight_decay"] / settings["learning_rate"]}
    optimizer = {"adamw": keras.optimizers.AdamW, "sgdw": keras.optimizers.SGD}[case]
    assert_equal(follow_keras(optimizer(**rates), arrays), arrays["values"])


def keras_averages(arrays, settings):
    rate, decay = settings["learning_rate"], settings["average_decay"]
    rows = []
    for steps in range(1, len(arrays["values"]) + 1):
        optimizer = keras.optimizers.SGD(rate, use_ema=True, ema_momentum=decay)
        rows.append(follow_keras(optimizer, arrays, steps=steps, average=True)[-1])
    return np.array(rows)


def test_moving_average_from_step_1_is_use_ema():
    arrays, settings = golden("averages", "moving_from_step_1")
    assert settings["start_step"] == 1
    assert_equal(keras_averages(arrays, settings), arrays["averages"])


def test_moving_average_began_at_the_initial_weights():
    """Keras' begins at the first step's: a₁ = w₁ and not d w₀ + (1 - d) w₁.

    Both go on alike, so the difference d (w₁ - w₀) shrinks by d a step.
    """
    arrays, settings = golden("averages", "moving")
    step = np.arange(1, len(arrays["values"]) + 1)[:, None]
    explained = settings["average_decay"] ** step * (arrays["values"][0] - arrays["start"])
    assert_equal(keras_averages(arrays, settings) - arrays["averages"], explained)
    assert np.abs(explained[-1]).max() > 0.01


def test_swa_is_a_plain_mean_of_snapshots():
    """Start 1 and period 2: the weights after steps 2, 4, 6 and 8, all with the same weight."""
    arrays, settings = golden("averages", "swa")
    assert (settings["start_averaging"], settings["average_period"]) == (1, 2)
    values = follow_keras(keras.optimizers.SGD(settings["learning_rate"]), arrays)
    for snapshots in range(1, 5):
        mean = values[1 : 2 * snapshots : 2].mean(axis=0)
        assert_equal(mean, arrays["averages"][2 * snapshots - 1])


class Cyclical(keras.optimizers.schedules.LearningRateSchedule):
    """Up and down in straight lines; ``scale(cycle, step)`` scales the peaks, cycles from 0."""

    def __init__(self, low, high, half_cycle, scale):
        self.low, self.high, self.half_cycle, self.scale = low, high, half_cycle, scale

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        halves = step / self.half_cycle
        height = 1.0 - tf.abs(halves % 2.0 - 1.0)
        cycle = tf.floor(halves / 2.0)
        return self.low + (self.high - self.low) * height * self.scale(cycle, step)


@pytest.mark.parametrize(
    ("case", "scale"),
    [
        ("Triangular", lambda cycle, step: 1.0),
        ("Triangular2", lambda cycle, step: 0.5**cycle),
        ("Exponential", lambda cycle, step: 0.9**step),
    ],
)
def test_cyclical_learning_rate_is_a_schedule_of_a_few_lines(case, scale):
    arrays, settings = golden("cyclical_learning_rate", case)
    names = ("initial_learning_rate", "maximal_learning_rate", "step_size")
    schedule = Cyclical(*(settings[name] for name in names), scale)
    rates = [schedule(step) for step in arrays["steps"]]
    np.testing.assert_allclose(rates, arrays["rates"], rtol=1e-6, atol=1e-8)


MODES = {"REFLECT": "mirror", "SYMMETRIC": "reflect", "CONSTANT": "constant"}


@pytest.mark.parametrize("case", ["reflect_5x5", "reflect_3x7", "symmetric_5x5", "constant_5x5"])
def test_gaussian_filter2d_is_scipys_with_a_radius(case):
    """For filters of odd sides, edges included; sigma is that of (rows, columns) in both."""
    arrays, settings = golden("gaussian_filter2d", case)
    rows, columns = settings["filter_shape"]
    output = scipy.ndimage.gaussian_filter(
        arrays["image"],
        settings["sigma"],
        mode=MODES[settings["padding"]],
        radius=(rows // 2, columns // 2),
        axes=(0, 1),
    )
    assert_equal(output, arrays["output"])


@pytest.mark.parametrize("case", ["reflect_5x5", "symmetric_5x5", "constant_5x5"])
def test_gaussian_filter2d_of_a_square_filter_is_keras_gaussian_blur_after_tf_pad(case):
    """Keras pads with zeros; an image padded beforehand has them outside of what is cut out."""
    arrays, settings = golden("gaussian_filter2d", case)
    reach = settings["filter_shape"][0] // 2
    padded = tf.pad(arrays["image"], [[reach] * 2, [reach] * 2, [0, 0]], settings["padding"])
    blurred = keras.ops.image.gaussian_blur(
        padded,
        tuple(settings["filter_shape"]),
        (settings["sigma"], settings["sigma"]),
        data_format="channels_last",
    )
    assert_equal(blurred[reach:-reach, reach:-reach], arrays["output"])


def test_gaussian_filter2d_of_an_extended_image_is_the_blur_of_random_color():
    """The golden image was extended by its last pixels; ``blur_sigma`` counts in pixels of 224.

    Ours ends at 4 sigma, the golden one at 5: on either side of a line its last pixel, with
    exp(-12.5) / sqrt(2 pi) = 1.5e-6 of the weight, is left out. That makes 6e-6 in two directions
    at most, for values in [0, 1].
    """
    arrays, settings = golden("gaussian_filter2d", "edge")
    inside = (slice(5, -5), slice(5, -5))
    image = arrays["image"][inside]
    sigma = settings["sigma"] * 224 / image.shape[0]
    layer = RandomColor(
        jitter_probability=0.0,
        grayscale_probability=0.0,
        blur_probability=1.0,
        blur_sigma=(sigma, sigma),
    )
    output = layer(image[None], np.zeros((1, random_color.DRAWS)))[0]
    np.testing.assert_allclose(output, arrays["output"][inside], rtol=0, atol=6e-6)
