"""The feature maps inside a network that was saved whole, with or without a head.

Owns where a network is cut: at the last map of each stride.
"""

import math
from collections.abc import Iterator

import keras

from harl_tf.backbones.strides import map_sizes

_NOT_MAPS = (
    keras.layers.InputLayer,
    keras.layers.Rescaling,
    keras.layers.Normalization,
    keras.layers.ZeroPadding2D,
    keras.layers.Cropping2D,
)


def with_maps(network: keras.Model) -> keras.Model:
    """A network cut at the last feature map of each stride, for images of any size if it can be.

    Args:
        network: A functional model of one image, ``(batch, height, width, 3)``.

    Returns:
        A functional model to ``{"P1": ..., "P2": ...}``: level ``n`` has a cell per ``2**n``
        pixels. What comes after the last map, such as a classifier, is left out.

    Raises:
        ValueError: If there is no feature map.

    Example:
        >>> image = keras.Input((32, 32, 3))
        >>> x = keras.layers.Conv2D(4, 3, strides=2, padding="same")(image)
        >>> x = keras.layers.Conv2D(8, 3, strides=2, padding="same")(keras.layers.ReLU()(x))
        >>> x = keras.layers.Dense(10)(keras.layers.GlobalAveragePooling2D()(x))
        >>> {level: each.shape for level, each in with_maps(keras.Model(image, x)).output.items()}
        {'P1': (None, None, None, 4), 'P2': (None, None, None, 8)}
    """
    image = network.inputs[0]
    candidates = list(_maps(network))
    if not candidates:
        raise ValueError(
            "Expected a network with feature maps (batch, height, width, channels). "
            f"Received: {network.name!r}, which has none."
        )
    sizes = map_sizes(image, candidates)
    found: dict[int, keras.KerasTensor] = {}
    for tensor, (height, width, side) in zip(candidates, sizes, strict=True):
        if height > 1 and width > 1 and round(math.log2(side / height)) >= 1:
            found[round(math.log2(side / height))] = tensor
    if not found:
        raise ValueError(
            "Expected a network with feature maps smaller than the image. "
            f"Received: {network.name!r}, which has none."
        )
    maps = {f"P{level}": found[level] for level in sorted(found)}
    return _of_any_size(keras.Model(image, maps, name=network.name))


def _maps(network: keras.Model) -> Iterator[keras.KerasTensor]:
    for layer in network.layers:
        if isinstance(layer, _NOT_MAPS):
            continue
        try:
            output = layer.output
        except (AttributeError, ValueError):  # shared by several places of the graph
            continue
        if isinstance(output, keras.KerasTensor) and len(output.shape) == 4:
            yield output


def _of_any_size(network: keras.Model) -> keras.Model:
    """The same network for images of any size; itself if it has parts of a fixed size."""
    image = network.inputs[0]
    if None in image.shape[1:3]:
        return network
    free = keras.Input((None, None, image.shape[3]), dtype=image.dtype)
    try:
        copy = keras.models.clone_model(network, input_tensors=free)
        copy.set_weights(network.get_weights())
    except (TypeError, ValueError):
        return network
    sides = [side for each in copy.output.values() for side in each.shape[1:3]]
    return network if any(sides) else copy
