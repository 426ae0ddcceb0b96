"""Where a whole model is cut."""

import keras
import numpy as np
import pytest

from harl_tf.backbones import strides
from harl_tf.zoo.maps import with_maps

layers = keras.layers


def classifier(side=64, padding="same"):
    image = keras.Input((side, side, 3))
    x = layers.Conv2D(4, 3, strides=2, padding=padding, name="first")(image)
    x = layers.ReLU(name="second")(x)
    x = layers.ZeroPadding2D(1)(x)
    x = layers.Conv2D(8, 3, strides=2, name="third")(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)  # a map of one cell is none
    x = layers.Multiply(name="fourth")([x, layers.Conv2D(8, 1)(gate)])
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(10)(x))


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_last_map_of_each_stride(padding):
    network = classifier(padding=padding)
    cut = with_maps(network)
    assert list(cut.output) == ["P1", "P2"]
    assert strides(cut) == {"P1": 2, "P2": 4}
    maps = [network.get_layer(name).output for name in ("second", "fourth")]
    image = np.random.default_rng(0).uniform(size=(1, 64, 64, 3))
    expected = keras.Model(network.input, maps)(image)
    for one, other in zip(cut(image).values(), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_network_for_images_of_one_size_is_freed():
    assert with_maps(classifier()).input.shape == (None, None, None, 3)
    assert with_maps(classifier())(np.zeros((1, 32, 48, 3)))["P2"].shape == (1, 8, 12, 8)


def test_network_with_parts_of_a_fixed_size_stays():
    image = keras.Input((32, 32, 3))
    x = layers.Conv2D(4, 8, strides=8)(image)
    tokens = layers.Dense(4)(layers.Reshape((16, 4))(x))
    network = keras.Model(image, layers.Reshape((4, 4, 4))(tokens))
    assert with_maps(network).input.shape == (None, 32, 32, 3)


@pytest.mark.parametrize("head", [layers.Flatten(), layers.Conv2D(3, 3, padding="same")])
def test_network_without_maps_is_refused(head):
    image = keras.Input((16, 16, 3))
    with pytest.raises(ValueError, match="Expected a network with feature maps"):
        with_maps(keras.Model(image, head(image)))


def test_maps_of_a_nested_model_are_found_without_augmentations():
    """As in transfer learning: ``base(images)`` with a head, and a flip before it."""
    base = classifier()
    cut = keras.Model(base.input, base.get_layer("fourth").output)
    image = keras.Input((64, 64, 3))
    x = cut(layers.RandomFlip()(image), training=False)
    whole = keras.Model(image, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))
    found = with_maps(whole)
    assert list(found.output) == ["P1", "P2"]
    assert found.input.shape == (None, None, None, 3)
    assert not any(isinstance(layer, keras.Model | layers.RandomFlip) for layer in found.layers)
    images = np.random.default_rng(0).uniform(size=(1, 64, 64, 3))
    np.testing.assert_allclose(found(images)["P2"], cut(images), atol=1e-6)
