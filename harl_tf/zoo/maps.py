"""The feature maps inside a network that was saved whole, with or without a head.

Owns where a network is cut: at the last map of each stride, also within a model that is nested in
it, as in ``base(images)`` followed by a head.
"""

import math
from collections.abc import Callable
from typing import Any

import keras

from harl_tf.backbones.strides import map_sizes

_NOT_MAPS = (
    keras.layers.InputLayer,
    keras.layers.Rescaling,
    keras.layers.Normalization,
    keras.layers.ZeroPadding2D,
    keras.layers.Cropping2D,
)
_RANDOM = tuple(getattr(keras.layers, name) for name in dir(keras.layers) if name[:6] == "Random")
"""Augmentations as layers, which a user may have put before the network."""


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
    candidates = _maps(network)
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
    return of_any_size(keras.Model(image, maps, name=network.name))


def _maps(network: keras.Model) -> list[keras.KerasTensor]:
    """The outputs of layers that may be feature maps, in order, those of nested models included."""
    found: list[keras.KerasTensor] = []

    def seen(layer: keras.layers.Layer, *args: Any, **kwargs: Any) -> Any:
        outputs = layer(*args, **kwargs)
        if isinstance(outputs, keras.KerasTensor) and _may_be_map(layer, outputs):
            found.append(outputs)
        return outputs

    _again(_flat(network), seen)
    return found


def _flat(network: keras.Model) -> keras.Model:
    """The same graph with the layers of nested models in it, and without random augmentations.

    Pretraining would apply those to the image and not to its mask.
    """

    def inlined(layer: keras.layers.Layer, *args: Any, **kwargs: Any) -> Any:
        if isinstance(layer, _RANDOM):
            return args[0]
        return layer.call(args[0]) if _is_nested(layer) else layer(*args, **kwargs)

    graph = network
    while any(isinstance(layer, _RANDOM) or _is_nested(layer) for layer in graph.layers):
        graph = _again(graph, inlined)
    return graph


def _again(graph: keras.Model, applied: Callable[..., Any]) -> keras.Model:
    """The graph of the same layers on the same image, with another way to apply each."""
    return keras.models.clone_model(
        graph,
        input_tensors=graph.input,
        clone_function=lambda layer: layer,
        call_function=applied,
    )


def _is_nested(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.Model) and len(getattr(layer, "inputs", None) or ()) == 1


def _may_be_map(layer: keras.layers.Layer, output: keras.KerasTensor) -> bool:
    is_layer = isinstance(layer, keras.layers.Layer) and not isinstance(layer, _NOT_MAPS)
    return is_layer and len(output.shape) == 4


def of_any_size(network: keras.Model) -> keras.Model:
    """The same network for images of any size; itself if it has parts of a fixed size.

    Args:
        network: A functional model of one image to a dict of feature maps.

    Example:
        >>> image = keras.Input((32, 32, 3))
        >>> cells = keras.layers.Conv2D(4, 3, strides=2, padding="same")(image)
        >>> of_any_size(keras.Model(image, {"P1": cells})).inputs[0].shape
        (None, None, None, 3)
    """
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
