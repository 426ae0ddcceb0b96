"""The pixel values that networks take: what a network says, what is assumed, what is unknown."""

import keras
import numpy as np
import pytest

from harl_tf.backbones import feature_pyramid
from harl_tf.zoo.values import VALUES, known_values, reverse_channels

applications = keras.applications


@pytest.mark.parametrize(
    ("make", "settings", "values"),
    [
        (applications.ResNet50, {}, "caffe"),
        (applications.VGG16, {}, "caffe"),
        (applications.DenseNet121, {}, "imagenet"),
        (applications.MobileNet, {}, "signed"),
        (applications.MobileNetV2, {}, "signed"),
        (applications.ResNet50V2, {}, "signed"),
        (applications.MobileNetV3Small, {}, "raw"),
        (applications.MobileNetV3Small, {"include_preprocessing": False}, None),
    ],
)
def test_networks_of_keras_applications(make, settings, values):
    network = make(weights=None, include_top=False, input_shape=(64, 64, 3), **settings)
    found, reason = known_values(network)
    assert found == values
    assert reason.startswith("assumed") == (values not in ("raw", None))


def test_a_name_alone_says_nothing():
    image = keras.Input((32, 32, 3))
    network = keras.Model(image, keras.layers.Conv2D(4, 3)(image), name="resnet50")
    assert known_values(network)[0] is None


@pytest.mark.parametrize(
    ("values", "preprocess"),
    [
        ("caffe", applications.resnet.preprocess_input),
        ("signed", applications.mobilenet.preprocess_input),
        ("imagenet", applications.densenet.preprocess_input),
    ],
)
def test_values_are_those_of_preprocess_input(values, preprocess):
    image = keras.Input((8, 8, 3))
    network = keras.Model(image, {"P1": keras.layers.Conv2D(4, 3, strides=2)(image)})
    photographs = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    expected = network(preprocess(photographs.copy()))["P1"]
    chosen = VALUES[values]
    if chosen.reversed:
        reverse_channels(network)
    pyramid = feature_pyramid(network, mean=chosen.mean, std=chosen.std)
    np.testing.assert_allclose(pyramid(photographs)["P1"], expected, rtol=1e-3, atol=1e-3)


def test_channels_are_reversed_in_a_first_convolution_only():
    image = keras.Input((8, 8, 3))
    network = keras.Model(image, keras.layers.DepthwiseConv2D(3)(image))
    with pytest.raises(ValueError, match=r"begins with 'depthwise.*', a DepthwiseConv2D"):
        reverse_channels(network)
