"""What replaces tensorflow-addons, against values that version 0.23.0 computed.

``make_tfa_golden.py`` wrote them. Where a replacement is another algorithm, a test says by how much
they differ and why.
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


def cases(function):
    names = [key.split("/") for key in SETTINGS]
    return [case for owner, case in names if owner == function]


def assert_equal(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)


# losses.npairs_loss


def npairs_by_keras(y_true, y_pred):
    equal = (y_true[:, None] == y_true[None, :]).astype("float32")
    shares = equal / equal.sum(axis=1, keepdims=True)
    y_pred = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)(shares, y_pred)
    return loss, tape.gradient(loss, y_pred)


@pytest.mark.parametrize("case", [c for c in cases("npairs_loss") if c != "beyond_float32"])
def test_npairs_loss_is_cross_entropy_with_equal_labels(case):
    arrays, _ = golden("npairs_loss", case)
    loss, gradient = npairs_by_keras(arrays["y_true"], arrays["y_pred"])
    assert_equal(loss, arrays["loss"])
    assert_equal(gradient, arrays["gradient"])


def test_npairs_loss_compared_labels_as_float32():
    """2²⁴ and 2²⁴ + 1 are one label there, as they are the same float32; here they are two."""
    arrays, _ = golden("npairs_loss", "beyond_float32")
    labels = arrays["y_true"]
    assert len(set(labels.tolist())) == 3
    assert len(set(labels.astype("float32").tolist())) == 2
    assert_equal(npairs_by_keras(labels.astype("float32"), arrays["y_pred"])[0], arrays["loss"])
    assert abs(npairs_by_keras(labels, arrays["y_pred"])[0] - arrays["loss"]) > 0.1


# optimizers.LAMB


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


def lamb(start, gradients, rate, epsilon, weight_decay, inside=True, adapt=True):
    """LAMB of one variable in float64 (You et al., 2020, algorithm 2, with φ the identity).

    u = m̂ / (√v̂ + ε) + λw and w ← w - η (‖w‖ / ‖u‖) u. With ``inside=False`` the decay is left out
    of u; instead w ← (1 - ηλ) w comes before.
    """
    w, m, v = start.astype(float), 0.0, 0.0
    values = []
    for step, gradient in enumerate(gradients.astype(float), start=1):
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        update = m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.999**step)) + epsilon)
        if inside:
            update = update + weight_decay * w
        else:
            w = w * (1 - rate * weight_decay)
        norms = np.linalg.norm(w), np.linalg.norm(update)
        ratio = norms[0] / norms[1] if adapt and min(norms) > 0 else 1.0
        w = w - rate * ratio * update
        values.append(w.ravel())
    return np.array(values)


def lamb_of_all(arrays, settings, inside=True):
    no_decay = settings.get("exclude_from_weight_decay", ())
    no_ratio = settings.get("exclude_from_layer_adaptation", no_decay)
    starts, gradients = by_variable(arrays, "start"), by_variable(arrays, "gradients")
    values = [
        lamb(
            starts[name],
            gradients[name],
            settings["learning_rate"],
            settings["epsilon"],
            0.0 if name in no_decay else settings["weight_decay"],
            inside,
            adapt=name not in no_ratio,
        )
        for name in starts
    ]
    return np.concatenate(values, axis=1)


def keras_lamb(settings, **changes):
    names = ("learning_rate", "epsilon", "weight_decay")
    return keras.optimizers.Lamb(**{name: settings[name] for name in names} | changes)


@pytest.mark.parametrize("case", cases("lamb"))
def test_lamb_has_its_weight_decay_inside_the_trust_ratio(case):
    """And leaves variables that are excluded from weight decay out of the trust ratio, too."""
    arrays, settings = golden("lamb", case)
    assert_equal(arrays["values"], lamb_of_all(arrays, settings))


def test_lamb_without_decay_is_keras_lamb():
    arrays, settings = golden("lamb", "no_decay")
    assert settings["weight_decay"] == 0
    assert settings["epsilon"] == 1e-6
    assert_equal(follow_keras(keras_lamb(settings), arrays), arrays["values"])


def test_lamb_without_decay_differs_from_keras_lamb_by_its_default_epsilon():
    """It shows where gradients are about 1e-5. First step: u = g / (|g| + ε), w - η (‖w‖/‖u‖) u."""
    arrays, settings = golden("lamb", "no_decay")
    optimizer = keras.optimizers.Lamb(settings["learning_rate"])
    assert optimizer.epsilon == 1e-7
    difference = (follow_keras(optimizer, arrays, steps=1) - arrays["values"][:1])[0]
    faint = arrays["columns"] == "faint"
    w, g = arrays["start"][faint].astype(float), arrays["gradients"][0, faint].astype(float)
    updates = [g / (np.abs(g) + epsilon) for epsilon in (1e-6, 1e-7)]
    moves = [settings["learning_rate"] * np.linalg.norm(w) * u / np.linalg.norm(u) for u in updates]
    assert_equal(difference[faint], moves[0] - moves[1])
    assert np.abs(difference[faint]).max() > 1e-3
    assert np.abs(difference[~faint]).max() < 1e-6


def test_lamb_with_decay_differs_from_keras_lamb_by_where_the_decay_stands():
    """First step, where u = sign(g) but for ε: with η the rate and λ the decay,

    tensorflow-addons   w - η ‖w‖ (u + λw) / ‖u + λw‖
    Keras               (1 - ηλ) (w - η ‖w‖ u / ‖u‖), as ‖(1 - ηλ) w‖ = (1 - ηλ) ‖w‖
    """
    arrays, settings = golden("lamb", "decay")
    values = follow_keras(keras_lamb(settings), arrays)
    outside = lamb_of_all(arrays, settings, inside=False)
    explained = outside - lamb_of_all(arrays, settings)
    assert_equal(values, outside)
    assert_equal(values - arrays["values"], explained)
    assert np.abs(explained[-1]).max() > 0.01

    kernel = arrays["columns"] == "kernel"
    w, g = arrays["start"][kernel].astype(float), arrays["gradients"][0, kernel].astype(float)
    rate, decay = settings["learning_rate"], settings["weight_decay"]
    u = g / (np.abs(g) + settings["epsilon"])
    norm, inside = np.linalg.norm, u + decay * w
    theirs = w - rate * norm(w) * inside / norm(inside)
    of_keras = (1 - rate * decay) * (w - rate * norm(w) * u / norm(u))
    assert_equal(values[0, kernel] - arrays["values"][0, kernel], of_keras - theirs)


def test_lamb_decay_alone_shrinks_by_the_rate_there_and_by_rate_times_decay_in_keras():
    """Gradient 0: the trust ratio 1/λ takes the decay λ = 0.5 away again; 2 → 1.8 or 1.9."""
    arrays, settings = golden("lamb", "zero_gradient")
    assert (settings["learning_rate"], settings["weight_decay"]) == (0.1, 0.5)
    start = np.array([2.0, -1.0, 0.5])
    assert_equal(arrays["values"][0], 0.9 * start)
    assert_equal(follow_keras(keras_lamb(settings), arrays)[0], 0.95 * start)


def test_lamb_in_keras_keeps_the_trust_ratio_of_what_is_excluded_from_decay():
    """First step of ``bias``: Keras' is longer by ‖w‖ / ‖u‖ with u = g / (|g| + ε)."""
    arrays, settings = golden("lamb", "decay_except_bias")
    values = follow_keras(keras_lamb(settings), arrays, exclude=["bias"], steps=1)
    bias = arrays["columns"] == "bias"
    start, g = arrays["start"][bias], arrays["gradients"][0, bias]
    ratio = np.linalg.norm(start) / np.linalg.norm(g / (np.abs(g) + settings["epsilon"]))
    assert abs(ratio - 1) > 0.1
    assert_equal(values[0, bias] - start, ratio * (arrays["values"][0, bias] - start))


# optimizers.AdamW, SGDW


@pytest.mark.parametrize("case", cases("decoupled_decay"))
def test_weight_decay_was_not_multiplied_by_the_rate(case):
    """Keras shrinks by rate times decay, so decay there has to be divided by the rate here."""
    arrays, settings = golden("decoupled_decay", case)
    rates = settings | {"weight_decay": settings["weight_decay"] / settings["learning_rate"]}
    optimizer = {"adamw": keras.optimizers.AdamW, "sgdw": keras.optimizers.SGD}[case]
    assert_equal(follow_keras(optimizer(**rates), arrays), arrays["values"])
    unchanged = follow_keras(optimizer(**settings), arrays)
    assert np.abs(unchanged - arrays["values"]).max() > 0.01


# optimizers.MovingAverage, SWA


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


# optimizers.CyclicalLearningRate


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
    assert settings.get("gamma", 0.9) == 0.9
    names = ("initial_learning_rate", "maximal_learning_rate", "step_size")
    schedule = Cyclical(*(settings[name] for name in names), scale)
    rates = [schedule(step) for step in arrays["steps"]]
    np.testing.assert_allclose(rates, arrays["rates"], rtol=1e-6, atol=1e-8)


# image.gaussian_filter2d

MODES = {"REFLECT": "mirror", "SYMMETRIC": "reflect", "CONSTANT": "constant"}
EVEN = ("constant_4x4", "reflect_4x6")


def image_axes(image):
    return (1, 2) if image.ndim == 4 else (0, 1)


def by_scipy(image, settings):
    return scipy.ndimage.gaussian_filter(
        image,
        settings["sigma"],
        mode=MODES[settings["padding"]],
        cval=settings["constant_values"],
        radius=[size // 2 for size in settings["filter_shape"]],
        axes=image_axes(image),
    )


def gaussian(positions, sigma):
    weights = np.exp(-0.5 * (positions / sigma) ** 2)
    return weights / weights.sum()


def by_keras(image, settings, sigma=None):
    sigma = np.broadcast_to(settings["sigma"] if sigma is None else sigma, 2).tolist()
    return keras.ops.image.gaussian_blur(
        image, tuple(settings["filter_shape"]), tuple(sigma), data_format="channels_last"
    )


@pytest.mark.parametrize(
    "case", [c for c in cases("gaussian_filter2d") if c not in (*EVEN, "integers")]
)
def test_gaussian_filter2d_is_scipys_with_a_radius(case):
    """For filters of odd sides, edges included; sigma is that of (rows, columns) in both."""
    arrays, settings = golden("gaussian_filter2d", case)
    assert_equal(by_scipy(arrays["image"], settings), arrays["output"])


def test_gaussian_filter2d_of_integers_was_computed_in_float32():
    """And cut off at the end. scipy cuts off after each axis: it should be given floats."""
    arrays, settings = golden("gaussian_filter2d", "integers")
    image = arrays["image"]
    assert image.dtype == arrays["output"].dtype == np.uint8
    floats = by_scipy(image.astype("float32"), settings)
    np.testing.assert_array_equal(floats.astype("uint8"), arrays["output"])
    assert np.any(by_scipy(image, settings) != arrays["output"])


@pytest.mark.parametrize("case", EVEN)
def test_gaussian_filter2d_of_an_even_side_has_its_peak_before_the_middle(case):
    """A side of 4 has weights at -1, 0, 1, 2; ``origin=-1`` moves scipy's middle to their 0."""
    arrays, settings = golden("gaussian_filter2d", case)
    output = arrays["image"]
    for axis, size in enumerate(settings["filter_shape"]):
        sigma = np.broadcast_to(settings["sigma"], 2)[axis]
        weights = gaussian(np.arange(size) - (size - 1) // 2, sigma)
        mode = MODES[settings["padding"]]
        output = scipy.ndimage.correlate1d(output, weights, axis, mode=mode, origin=-1)
    assert_equal(output, arrays["output"])


def test_gaussian_filter2d_padded_by_constant_zero_is_keras_gaussian_blur():
    """Where the filter is square with an odd side and one sigma."""
    arrays, settings = golden("gaussian_filter2d", "constant_5x5")
    assert_equal(by_keras(arrays["image"], settings), arrays["output"])


@pytest.mark.parametrize("case", ["default", "reflect_5x5", "symmetric_5x5", "wide", "batch"])
def test_gaussian_filter2d_padded_otherwise_is_keras_gaussian_blur_after_tf_pad(case):
    """Keras pads with zeros; an image padded beforehand has them outside of what is cut out."""
    arrays, settings = golden("gaussian_filter2d", case)
    axes, reach = image_axes(arrays["image"]), settings["filter_shape"][0] // 2
    paddings = [[reach * (axis in axes)] * 2 for axis in range(arrays["image"].ndim)]
    padded = tf.pad(arrays["image"], paddings, settings["padding"])
    inside = tuple(slice(reach, -reach) if p[0] else slice(None) for p in paddings)
    assert_equal(by_keras(padded, settings)[inside], arrays["output"])
    unpadded = np.abs(by_keras(arrays["image"], settings) - arrays["output"])
    assert unpadded.max() > 0.1
    assert unpadded[inside].max() < 1e-6


@pytest.mark.parametrize("case", ["constant_5x5_two_sigmas", "constant_3x5", "constant_4x4"])
def test_gaussian_filter2d_differs_from_keras_gaussian_blur_by_its_kernel(case):
    """Keras 3.15 exchanges rows and columns: it takes the first sigma for the columns, and the
    numbers of a w × h kernel, in their order, for one of h × w (tensorflow/tensorflow#127247,
    keras-team/keras#23614). Even sides have their peak between two pixels.
    """
    arrays, settings = golden("gaussian_filter2d", case)
    size, sigma = settings["filter_shape"], np.broadcast_to(settings["sigma"], 2)
    lines = [gaussian(np.arange(n) - (n - 1) / 2, s) for n, s in zip(size, sigma, strict=True)]
    kernel = np.outer(lines[1], lines[0]).reshape(*size, 1)
    origin = [-1 if n % 2 == 0 else 0 for n in size]
    expected = scipy.ndimage.correlate(
        arrays["image"], kernel, mode="constant", origin=(*origin, 0)
    )
    assert_equal(by_keras(arrays["image"], settings), expected)
    assert np.abs(expected - arrays["output"]).max() > 0.05


def test_gaussian_filter2d_with_two_sigmas_is_keras_gaussian_blur_with_these_exchanged():
    arrays, settings = golden("gaussian_filter2d", "constant_5x5_two_sigmas")
    exchanged = settings["sigma"][::-1]
    assert_equal(by_keras(arrays["image"], settings, exchanged), arrays["output"])


def blur_of_random_color(image, sigma):
    """``blur_sigma`` counts in pixels of an image of 224; no other operation is on."""
    scaled = sigma * 224 / image.shape[0]
    layer = RandomColor(
        jitter_probability=0.0,
        grayscale_probability=0.0,
        blur_probability=1.0,
        blur_sigma=(scaled, scaled),
    )
    return layer(image[None], np.zeros((1, random_color.DRAWS)))[0].numpy()


def test_gaussian_filter2d_of_a_wide_filter_is_the_blur_of_random_color():
    """Ours ends at 4 sigma, a golden one at 5: on either side of a line its last pixel, with
    exp(-12.5) / sqrt(2 pi) = 1.5e-6 of the weight, is left out. That makes 6e-6 in two directions
    at most, for values in [0, 1].

    Everywhere, if the image had been extended by its last pixels; else where none was needed.
    """
    arrays, settings = golden("gaussian_filter2d", "wide")
    inside = (slice(5, -5), slice(5, -5))
    assert settings["filter_shape"] == [11, 11]
    output = blur_of_random_color(arrays["image"], settings["sigma"])
    np.testing.assert_allclose(output[inside], arrays["output"][inside], rtol=0, atol=6e-6)
    assert np.abs(output - arrays["output"]).max() > 0.05

    extended, _ = golden("gaussian_filter2d", "edge")
    np.testing.assert_array_equal(extended["image"][inside], arrays["image"])
    np.testing.assert_allclose(output, extended["output"][inside], rtol=0, atol=6e-6)


def test_gaussian_filter2d_of_a_narrow_filter_blurs_less_than_its_sigma():
    """A kernel of variance V turns x² into x² + V.

    Three weights at sigma 1 have V = 2e^-½ / (1 + 2e^-½) = .548; the whole Gaussian of
    ``RandomColor`` has 1. In the image x counts fourteenths.
    """
    arrays, settings = golden("gaussian_filter2d", "parabola")
    assert (settings["filter_shape"], settings["sigma"]) == ([3, 3], 1.0)
    inside = (slice(5, -5), slice(5, -5))
    image = arrays["image"][inside]
    variance = 2 * np.exp(-0.5) / (1 + 2 * np.exp(-0.5))
    assert_equal(arrays["output"][inside], image + variance / 14**2)
    output = blur_of_random_color(arrays["image"], settings["sigma"])
    assert_equal(output[inside], image + 1 / 14**2)
