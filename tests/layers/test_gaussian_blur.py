"""Blur on the device against SciPy, at sizes that do and do not fill whole pieces."""

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from harl_tf.layers.gaussian_blur import blur


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (32, 64), (33, 31), (100, 70)])
def test_blur_equals_a_gaussian_filter(size):
    """A width of the Gaussian for each picture; cut off at 12 pixels, four of the widest."""
    images = np.random.default_rng(0).uniform(0, 255, (3, *size, 2)).astype("float32")
    sigma = np.array([0.4, 1.3, 3.0], "float32")
    outputs = blur(images, tf.constant(sigma), reach=12).numpy()
    for image, width, output in zip(images, sigma, outputs, strict=True):
        expected = scipy.ndimage.gaussian_filter(
            image.astype(float), (width, width, 0), mode="nearest", radius=12
        )
        np.testing.assert_allclose(output, expected, atol=2e-3)


def test_no_width_leaves_the_picture_as_it_is():
    images = np.random.default_rng(0).uniform(0, 255, (2, 40, 35, 3)).astype("float32")
    outputs = blur(images, tf.constant([0.0, 2.0]), reach=8).numpy()
    np.testing.assert_array_equal(outputs[0], images[0])
    assert np.abs(outputs[1] - images[1]).max() > 1


def test_gradient_flows_to_the_picture():
    """Every output is a mean, so the gradient of their sum is one at every pixel but the edges'."""
    images = tf.Variable(tf.random.stateless_uniform((1, 50, 50, 1), (1, 2)))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(blur(images, tf.constant([1.0]), reach=4))
    gradient = tape.gradient(total, images)
    np.testing.assert_allclose(gradient[0, 4:-4, 4:-4], 1.0, atol=1e-5)
