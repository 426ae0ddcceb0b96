import keras
import numpy as np
import pytest

import harl_tf
from harl_tf.backbones.normalization import IMAGENET_MEAN, IMAGENET_STD, normalizes_itself

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
OWN = {
    "rescaling": lambda: [keras.layers.Rescaling(1 / 255)],
    "padded_rescaling": lambda: [keras.layers.ZeroPadding2D(), keras.layers.Rescaling(1 / 255)],
    "normalization": lambda: [keras.layers.Normalization(mean=IMAGENET_MEAN, variance=[9, 9, 9])],
    "nested": lambda: [keras.Sequential([keras.layers.Rescaling(1 / 127.5, -1.0)])],
}


def network(*first: keras.layers.Layer) -> keras.Model:
    x = image = keras.Input((None, None, 3))
    for layer in first:
        x = layer(x)
    x = keras.layers.Conv2D(2, 1, name="convolution")(x)
    # Not at the input: it says nothing of the images.
    return keras.Model(image, {"P0": keras.layers.Rescaling(2.0)(x)})


@pytest.mark.parametrize("own", OWN)
def test_network_that_normalizes_itself_is_not_normalized_twice(own):
    """The same maps of raw images as the network's own."""
    net = network(*OWN[own]())
    maps = harl_tf.backbones.feature_pyramid(net)(IMAGES)
    np.testing.assert_allclose(maps["P0"], net(IMAGES)["P0"], rtol=1e-6)


@pytest.mark.parametrize(
    "given", [{}, {"mean": np.array(IMAGENET_MEAN), "std": np.array(IMAGENET_STD)}]
)
def test_other_networks_get_the_mean_and_deviation_of_imagenet(given):
    net = network()
    expected = net((IMAGES - np.array(IMAGENET_MEAN, "f")) / np.array(IMAGENET_STD, "f"))
    maps = harl_tf.backbones.feature_pyramid(net, **given)(IMAGES)
    np.testing.assert_allclose(maps["P0"], expected["P0"], atol=1e-5)


@pytest.mark.parametrize("given", [{"mean": IMAGENET_MEAN}, {"std": [1.0, 1.0, 1.0]}])
def test_second_normalization_is_refused_if_asked_for(given):
    net = network(keras.layers.Rescaling(1 / 255))
    with pytest.raises(ValueError, match=r"Expected mean=None.* twice\. Received: mean="):
        harl_tf.backbones.feature_pyramid(net, **given)


def test_unknown_word_for_the_mean_is_refused():
    with pytest.raises(ValueError, match=r'Expected mean as "auto", None .*Received: .imagenet'):
        harl_tf.backbones.feature_pyramid(network(), mean="imagenet")


def test_backbone_made_twice_is_normalized_once():
    once = harl_tf.backbones.feature_pyramid(network())
    twice = harl_tf.backbones.feature_pyramid(once)
    np.testing.assert_allclose(twice(IMAGES)["P0"], once(IMAGES)["P0"], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("EfficientNetB0", True),
        ("EfficientNetV2B0", True),
        ("MobileNetV3Small", True),
        ("ConvNeXtTiny", True),
        ("ResNet50V2", False),
        ("DenseNet121", False),
        ("MobileNetV2", False),
    ],
)
def test_networks_of_keras_applications_that_normalize_themselves_are_known(name, own):
    """As their documentation says: those with include_preprocessing, and EfficientNet."""
    make = getattr(keras.applications, name)
    assert normalizes_itself(make(include_top=False, weights=None)) is own
