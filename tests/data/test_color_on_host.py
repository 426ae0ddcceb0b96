"""The compiled colors against the layer's own, and against closed forms."""

import numpy as np
import pytest
import scipy.ndimage

from harl_tf.data.color_on_host import apply_plan, gaussian
from harl_tf.layers import RandomColor, byol_colors, random_color, simclr_color


def plan(count, **changes):
    values = {
        "matrix": np.tile(np.eye(3, dtype=np.float32), (count, 1, 1)),
        "gray": np.zeros(count, np.float32),
        "sigma": np.zeros(count, np.float32),
        "solarize": np.zeros(count, bool),
    }
    return {**values, **changes}


def pictures(count=5, height=40, width=52):
    shape = (count, height, width, 3)
    return np.random.default_rng(0).integers(0, 256, shape).astype("uint8")


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (64, 64), (65, 33), (224, 224)])
@pytest.mark.parametrize("layer", [simclr_color(), *byol_colors()])
def test_it_equals_the_layer(layer, size):
    """Of 6 pictures of any size, up to float32's rounding of sums of 255s."""
    images = pictures(6, *size)
    draws = np.random.default_rng(1).uniform(size=(6, random_color.DRAWS)).astype("float32")
    of_layer = layer(images, draws).numpy()
    ours = apply_plan(images, *(each.numpy() for each in layer.plan(draws, size[0])))
    inverted_by_one = np.abs(of_layer + ours - 255) < 0.1
    np.testing.assert_allclose(np.where(inverted_by_one, of_layer, ours), of_layer, atol=0.01)


def test_nothing_to_do_changes_nothing():
    images = pictures()
    np.testing.assert_array_equal(apply_plan(images, **plan(5)), images)


def test_matrix_and_gray():
    """A matrix times every color, plus a share of the mean luminance, kept within 0 and 255."""
    images, random = pictures(), np.random.default_rng(2)
    matrix = random.normal(0.3, 0.5, (5, 3, 3)).astype("float32")
    gray = random.uniform(-1, 1, 5).astype("float32")
    luminance = (images @ np.array([0.299, 0.587, 0.114])).mean(axis=(1, 2))
    expected = np.einsum("bij,bhwj->bhwi", matrix, images.astype(float))
    expected = np.clip(expected + (gray * luminance)[:, None, None, None], 0, 255)
    outputs = apply_plan(images, **plan(5, matrix=matrix, gray=gray))
    np.testing.assert_allclose(outputs, expected, atol=1e-3)


@pytest.mark.parametrize("sigma", [0.05, 0.3, 1.0, 2.7, 30.0])
def test_blur_equals_a_gaussian_filter(sigma):
    """Beyond four sigma lie 6e-5 of a Gaussian, which is .016 of 255, twice for two directions."""
    images = pictures(2, 23, 31)
    outputs = apply_plan(images, **plan(2, sigma=np.full(2, sigma, "float32")))
    expected = scipy.ndimage.gaussian_filter(
        images.astype(float), (0, sigma, sigma, 0), mode="nearest", truncate=9.0
    )
    np.testing.assert_allclose(outputs, expected, atol=0.04)


def test_gaussian_sums_to_one():
    for sigma in (0.01, 0.5, 3.3):
        half = gaussian(sigma)
        assert len(half) == 1 + np.ceil(4 * sigma)
        assert half[0] + 2 * half[1:].sum() == pytest.approx(1, abs=1e-6)


def test_solarize_inverts_the_bright_half():
    """127 stays, 128 becomes 127, 255 becomes 0."""
    images = np.array([0, 127, 128, 255], "uint8").reshape(1, 2, 2, 1).repeat(3, axis=-1)
    outputs = apply_plan(images, **plan(1, solarize=np.array([True])))
    assert outputs[0, :, :, 0].tolist() == [[0.0, 127.0], [127.0, 0.0]]


def test_rows_have_plans_of_their_own():
    images = pictures(4)
    layer = RandomColor(solarize_probability=0.5)
    draws = np.random.default_rng(5).uniform(size=(4, random_color.DRAWS)).astype("float32")
    whole = [each.numpy() for each in layer.plan(draws, 40)]
    together = apply_plan(images, *whole)
    for row in range(4):
        alone = apply_plan(images[row : row + 1], *(each[row : row + 1] for each in whole))
        np.testing.assert_array_equal(alone[0], together[row])
