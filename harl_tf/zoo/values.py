"""The pixel values that a trained network takes, and how they are known.

Owns the scales that networks are trained with, and which of them a network has: the one that a
layer inside it makes, or that of a family of ``keras.applications`` that is known by its names. A
saved network does not say which it needs, and the wrong one spoils what it has learned.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras

from harl_tf.backbones.normalization import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    before_learning,
    normalizes_itself,
)


class Values(NamedTuple):
    """What is done with RGB values of 0–255 before a network sees them.

    Attributes:
        mean: Subtracted from each channel; None for nothing.
        std: What each channel is then divided by.
        reversed: Whether the network takes blue, green, red. Default: False.
    """

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    reversed: bool = False


VALUES = {
    "raw": Values(),
    "unit": Values((0.0,) * 3, (255.0,) * 3),
    "signed": Values((127.5,) * 3, (127.5,) * 3),
    "imagenet": Values(IMAGENET_MEAN, IMAGENET_STD),
    "caffe": Values((123.68, 116.779, 103.939), (1.0,) * 3, reversed=True),
}
"""By name: 0–255; 0–1; −1–1; minus ImageNet's mean, by its deviation; BGR minus ImageNet's mean."""

# keras.applications without a layer that rescales: the name of a model, the values of its
# ``preprocess_input``, and a layer that only such a model has.
_FAMILIES = (
    (r"resnet(50|101|152)", "caffe", "conv2_block1_0_bn"),
    (r"vgg1[69]", "caffe", "block5_conv1"),
    (r"resnet(50|101|152)v2", "signed", "post_bn"),
    (r"densenet\d+", "imagenet", "conv2_block1_concat"),
    (r"mobilenet_[\d.]+_(\d+|None)", "signed", "conv_pw_13"),
    (r"mobilenetv2_[\d.]+_(\d+|None)", "signed", "bn_Conv1"),
    (r"xception", "signed", "block14_sepconv2"),
    (r"inception_v3", "signed", "mixed10"),
    (r"inception_resnet_v2", "signed", "conv_7b"),
    (r"nasnet_\w+", "signed", "stem_conv1"),
)


def known_values(network: keras.Model) -> tuple[str | None, str]:
    """The values that a network takes, as far as they can be known from it.

    Args:
        network: A functional model.

    Returns:
        A name of ``VALUES``, or None if it cannot be known, and how it is known, in words.

    Example:
        >>> known_values(resnet(18))
        ('raw', 'it rescales them itself')
        >>> image = keras.Input((32, 32, 3))
        >>> known_values(keras.Model(image, keras.layers.Conv2D(4, 3)(image)))[0] is None
        True
    """
    if normalizes_itself(network):
        return "raw", "it rescales them itself"
    if _computes_first(network):
        return None, ""
    for model in _models(network):
        layers = {layer.name for layer in model.layers}
        for pattern, values, layer in _FAMILIES:
            if re.fullmatch(pattern, model.name) and layer in layers:
                return values, f"assumed, as {model.name} of keras.applications has them"
    return None, ""


def reverse_channels(network: keras.Model) -> None:
    """Makes a network that takes BGR take RGB, by reversing the kernels of its first convolution.

    Args:
        network: A functional model; it is changed.

    Raises:
        ValueError: If it does not begin with one convolution of three channels.

    Example:
        >>> image = keras.Input((8, 8, 3))
        >>> network = keras.Model(image, keras.layers.Conv2D(1, 1, use_bias=False)(image))
        >>> network.set_weights([np.array([1.0, 2.0, 3.0]).reshape((1, 1, 3, 1))])
        >>> reverse_channels(network)
        >>> network.get_weights()[0].ravel().tolist()
        [3.0, 2.0, 1.0]
    """
    first: Any = _first_with_weights(network)
    if type(first) is not keras.layers.Conv2D or first.kernel.shape[2] != 3:
        name = "nothing" if first is None else f"{first.name!r}, a {type(first).__name__}"
        raise ValueError(
            "Expected a network that begins with a Conv2D of three channels, whose kernels can be "
            f"reversed from BGR to RGB. Received: one that begins with {name}."
        )
    first.kernel.assign(keras.ops.flip(first.kernel, axis=2))


def _computes_first(network: keras.Model) -> bool:
    """Whether operations that are no layers come before the first layer that learns.

    They may be a ``preprocess_input`` of ``keras.applications`` in the graph, or anything else.
    """
    return any(not isinstance(each, keras.layers.Layer) for each in before_learning(network))


def _first_with_weights(network: keras.Model) -> keras.layers.Layer | None:
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            found = _first_with_weights(layer)
            if found is not None:
                return found
        elif layer.weights:
            return layer
    return None


def _models(network: keras.Model) -> Iterator[keras.Model]:
    """A model and those nested in it."""
    yield network
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _models(layer)
