"""Color augmentation against closed forms, one operation at a time."""

import keras
import numpy as np
import pytest
import scipy.ndimage
import skimage.color

from harl_tf.layers import RandomColor, random_color

LUMA = np.array([0.299, 0.587, 0.114])
BRIGHTNESS, CONTRAST, SATURATION, HUE, JITTER, GRAY, SIGMA, BLUR, SOLARIZE = random_color.Draw
OFF = {
    "brightness": 0.0,
    "contrast": 0.0,
    "saturation": 0.0,
    "hue": 0.0,
    "jitter_probability": 1.0,
    "grayscale_probability": 0.0,
    "blur_probability": 0.0,
}


def make_images(batch=4, height=10, width=12, low=90, high=140):
    """Pictures far enough from 0 and 255 that no operation here clips."""
    shape = (batch, height, width, 3)
    return np.random.default_rng(0).integers(low, high, shape).astype("uint8")


def make_draws(batch=4, seed=0, **columns):
    draws = np.random.default_rng(seed).uniform(size=(batch, random_color.DRAWS))
    for name, value in columns.items():
        draws[:, globals()[name]] = value
    return draws.astype("float32")


def luminance(images):
    return (images * LUMA).sum(axis=-1, keepdims=True)


def change_brightness(images, draws):
    """With the strength 0.2, factors lie in 0.8 + 0.4 draw."""
    return images * (0.8 + 0.4 * draws[:, BRIGHTNESS])[:, None, None, None]


def change_contrast(images, draws):
    factor = (0.8 + 0.4 * draws[:, CONTRAST])[:, None, None, None]
    return factor * images + (1 - factor) * luminance(images).mean(axis=(1, 2, 3), keepdims=True)


def change_saturation(images, draws):
    factor = (0.8 + 0.4 * draws[:, SATURATION])[:, None, None, None]
    return factor * images + (1 - factor) * luminance(images)


def change_hue(images, draws):
    """A turn of the chrominance plane by up to 0.1 of a full turn."""
    yiq = skimage.color.rgb2yiq(images / 255.0)
    turns = 0.1 * (2 * draws[:, HUE] - 1)
    chrominance = yiq[..., 1] + 1j * yiq[..., 2]
    chrominance = chrominance * np.exp(2j * np.pi * turns)[:, None, None]
    yiq = np.stack([yiq[..., 0], chrominance.real, chrominance.imag], axis=-1)
    return skimage.color.yiq2rgb(yiq) * 255.0


CHANGES = {
    "brightness": change_brightness,
    "contrast": change_contrast,
    "saturation": change_saturation,
    "hue": change_hue,
}
STRENGTHS = {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.1}


@pytest.mark.parametrize("name", CHANGES)
def test_one_jitter_operation_equals_its_closed_form(name):
    images, draws = make_images(), make_draws()
    layer = RandomColor(**{**OFF, name: STRENGTHS[name]})
    expected = CHANGES[name](images.astype(float), draws)
    assert 0 < expected.min() < expected.max() < 255
    assert np.abs(expected - images).max() > 1
    np.testing.assert_allclose(layer(images, draws), expected, atol=0.02)


@pytest.mark.parametrize("order", [tuple(CHANGES), tuple(reversed(CHANGES))])
def test_jitter_of_all_four_is_their_composition_in_either_order(order):
    """Unclipped, all orders agree: brightness scales everything, contrast keeps the mean luminance,
    saturation and hue keep every luminance, and hue turns what saturation scales."""
    images, draws = make_images(1), make_draws(1, seed=3)
    draws[:, [BRIGHTNESS, CONTRAST, SATURATION]] = 0.9, 0.05, 0.95
    expected = images.astype(float)
    for name in order:
        expected = CHANGES[name](expected, draws)
    outputs = RandomColor(**{**OFF, **STRENGTHS})(images, draws)
    np.testing.assert_allclose(outputs, expected, atol=0.05)


def test_grayscale_is_the_luminance():
    images, draws = make_images(low=0, high=256), make_draws()
    outputs = RandomColor(**{**OFF, "grayscale_probability": 1.0})(images, draws)
    expected = np.repeat(luminance(images.astype(float)), 3, axis=-1)
    np.testing.assert_allclose(outputs, expected, atol=1e-3)


def test_grayscale_comes_after_jitter():
    images, draws = make_images(), make_draws()
    jitter = {**OFF, **STRENGTHS}
    gray = RandomColor(**{**jitter, "grayscale_probability": 1.0})(images, draws)
    expected = luminance(np.asarray(RandomColor(**jitter)(images, draws)))
    np.testing.assert_allclose(gray, np.repeat(expected, 3, axis=-1), atol=1e-2)


@pytest.mark.parametrize("draw", [0.0, 0.5, 0.99])
def test_blur_equals_a_gaussian_filter(draw):
    """Sigma is 4 + 8 draw in pixels of 224; at the image's 56 pixels a quarter of that."""
    images = make_images(2, 56, 40, 0, 256)
    draws = make_draws(2, SIGMA=draw)
    settings = {**OFF, "blur_probability": 1.0, "blur_sigma": (4.0, 12.0)}
    outputs = RandomColor(**settings)(images, draws)
    sigma = (4.0 + draw * 8.0) * 56 / 224
    expected = scipy.ndimage.gaussian_filter(
        images.astype(float), (0, sigma, sigma, 0), mode="nearest", truncate=8.0
    )
    np.testing.assert_allclose(outputs, expected, atol=5e-3)


def test_blur_of_a_constant_image_changes_nothing():
    images = np.full((1, 9, 7, 3), 255, "uint8")
    outputs = RandomColor(**{**OFF, "blur_probability": 1.0})(images, make_draws(1))
    np.testing.assert_allclose(outputs, images, atol=1e-3)


def test_solarize_inverts_the_bright_half():
    """127 stays, 128 becomes 127, 255 becomes 0."""
    images = np.array([0, 127, 128, 255], "uint8").reshape(1, 2, 2, 1).repeat(3, axis=-1)
    outputs = RandomColor(**{**OFF, "solarize_probability": 1.0})(images, make_draws(1))
    np.testing.assert_allclose(outputs[0, :, :, 0], [[0, 127], [127, 0]], atol=1e-4)


def test_all_probabilities_zero_change_nothing():
    """For any draw, 0 included: a draw of 0 is not below the probability 0."""
    images = make_images(low=0, high=256)
    settings = {name: 0.0 for name in ("jitter", "grayscale", "blur", "solarize")}
    layer = RandomColor(**{f"{name}_probability": value for name, value in settings.items()})
    for draws in (make_draws(), np.zeros((4, random_color.DRAWS), "float32")):
        np.testing.assert_array_equal(layer(images, draws), images)


def test_unblurred_rows_are_untouched_beside_blurred_ones():
    images, draws = make_images(low=0, high=256), make_draws()
    draws[:, BLUR] = [0.1, 0.9, 0.1, 0.9]
    settings = {**OFF, "jitter_probability": 0.0, "blur_probability": 0.5, "blur_sigma": (30, 60)}
    outputs = RandomColor(**settings)(images, draws).numpy()
    np.testing.assert_array_equal(outputs[[1, 3]], images[[1, 3]])
    assert all(np.abs(outputs[row] - images[row]).max() > 1 for row in (0, 2))


@pytest.mark.parametrize("draw", [0.0, 0.99999994])
def test_probability_one_always_applies(draw):
    """The largest float32 below 1 is still below the probability 1."""
    images = make_images()
    draws = make_draws(JITTER=draw, GRAY=draw, BLUR=draw, SOLARIZE=draw)
    settings = {f"{name}_probability": 1.0 for name in ("jitter", "grayscale", "blur", "solarize")}
    outputs = RandomColor(**settings)(images, draws).numpy()
    np.testing.assert_allclose(outputs[..., 0], outputs[..., 1], atol=1e-3)
    assert outputs.max() <= 128


def test_outputs_stay_within_0_to_255():
    """Strong jitter on saturated pictures; blur rounds by less than 1e-3 beyond."""
    images = make_images(32, low=0, high=256)
    images[::2] = (images[::2] > 127) * 255
    layer = RandomColor(1.0, 1.0, 1.0, 0.5, solarize_probability=0.3)
    outputs = layer(images, make_draws(32)).numpy()
    assert outputs.dtype == np.float32
    assert -1e-3 < outputs.min() < outputs.max() < 255.001


def test_same_draws_give_the_same_picture_and_others_another():
    images = make_images()
    layer = RandomColor()
    first = layer(images, make_draws()).numpy()
    np.testing.assert_array_equal(first, layer(images, make_draws()))
    assert np.abs(first - layer(images, make_draws(seed=1)).numpy()).max() > 1


def test_a_row_depends_on_itself_only():
    """Permuting the batch permutes the result; alone, a row comes out as in the batch."""
    images, draws = make_images(6), make_draws(6, seed=2)
    layer = RandomColor(solarize_probability=0.5)
    outputs = layer(images, draws).numpy()
    order = np.array([3, 0, 5, 1, 4, 2])
    np.testing.assert_allclose(layer(images[order], draws[order]), outputs[order], atol=1e-3)
    for row in range(6):
        alone = layer(images[row : row + 1], draws[row : row + 1])
        np.testing.assert_allclose(alone[0], outputs[row], atol=1e-3)


def test_integer_and_float_pictures_give_the_same():
    images, draws = make_images(), make_draws()
    expected = RandomColor()(images, draws)
    for dtype in ("float32", "float64", "int32"):
        np.testing.assert_array_equal(RandomColor()(images.astype(dtype), draws), expected)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_global_policy_does_not_change_the_pictures(policy):
    images, draws = make_images(), make_draws()
    expected = RandomColor()(images, draws)
    keras.config.set_dtype_policy(policy)
    np.testing.assert_array_equal(RandomColor()(images, draws), expected)


def test_config_round_trip():
    layer = RandomColor(
        0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, blur_sigma=(0.5, 1.5), solarize_probability=0.8
    )
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is RandomColor
    assert again.get_config() == layer.get_config()
    images, draws = make_images(), make_draws()
    np.testing.assert_array_equal(again(images, draws), layer(images, draws))


def test_layer_has_no_weights_and_asks_for_no_randomness():
    layer = RandomColor()
    layer(make_images(), make_draws())
    assert layer.weights == []
    assert not layer.trainable


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"brightness": -0.1}, r"Expected brightness ≥ 0. Received: brightness=-0.1"),
        ({"hue": 0.6}, r"Expected hue ≤ 0.5 \(half a turn\). Received: hue=0.6"),
        ({"blur_probability": 1.1}, r"Expected blur_probability within \[0, 1\]. Received"),
        ({"jitter_probability": -0.1}, r"Expected jitter_probability within \[0, 1\]. Received"),
        ({"blur_sigma": (0.0, 2.0)}, r"Expected 0 < blur_sigma\[0\] ≤ blur_sigma\[1\]. Received"),
        ({"blur_sigma": (2.0, 1.0)}, r"Expected 0 < blur_sigma\[0\] ≤ blur_sigma\[1\]. Received"),
    ],
)
def test_settings_out_of_range(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        RandomColor(**settings)
