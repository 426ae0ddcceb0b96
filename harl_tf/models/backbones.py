"""Backbones: any KerasHub or Keras network as a feature pyramid that harl_tf trains.

Owns the form every backbone has in this package: a functional ``keras.Model`` from RGB images in
0–255 to a dict of feature maps, normalisation included. It builds no network of its own; KerasHub
does.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import keras_hub

from harl_tf.layers import FusedBatchNormalization

IMAGENET_MEAN = (123.675, 116.28, 103.53)
"""Mean of ImageNet's RGB values, 0–255 (0.485, 0.456, 0.406 of 255)."""
IMAGENET_STD = (58.395, 57.12, 57.375)
"""Their standard deviation (0.229, 0.224, 0.225 of 255)."""

_RESNET_BLOCKS = {
    18: ("basic_block", [2, 2, 2, 2]),
    34: ("basic_block", [3, 4, 6, 3]),
    50: ("bottleneck_block", [3, 4, 6, 3]),
    101: ("bottleneck_block", [3, 4, 23, 3]),
    152: ("bottleneck_block", [3, 8, 36, 3]),
}
_RESNET_STRIDES = {32: [1, 2, 2, 2], 16: [1, 2, 2, 1], 8: [1, 2, 1, 1]}


def resnet(depth: int = 50, output_stride: int = 32) -> keras.Model:
    """KerasHub's ResNet as a feature pyramid, randomly initialised.

    Args:
        depth: 18, 34, 50, 101 or 152. Default: 50.
        output_stride: Image pixels per cell of the last map, 32, 16 or 8: a 224-pixel image has
            7×7, 14×14 or 28×28 cells. Default: 32.

    Returns:
        A model as ``feature_pyramid`` makes it, with maps ``P2`` to ``P5``.

    Raises:
        ValueError: If ``depth`` or ``output_stride`` is not one of those above.

    Example:
        >>> backbone = resnet(18)
        >>> backbone(np.zeros((1, 64, 64, 3)))["P5"].shape.as_list()
        [1, 2, 2, 512]
    """
    if depth not in _RESNET_BLOCKS:
        raise ValueError(f"Expected depth in {sorted(_RESNET_BLOCKS)}. Received: depth={depth}.")
    if output_stride not in _RESNET_STRIDES:
        raise ValueError(
            f"Expected output_stride in {sorted(_RESNET_STRIDES)}. "
            f"Received: output_stride={output_stride}."
        )
    block_type, blocks = _RESNET_BLOCKS[depth]
    network = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=blocks,
        stackwise_num_strides=_RESNET_STRIDES[output_stride],
        block_type=block_type,
        image_shape=(None, None, 3),
    )
    return feature_pyramid(network, name=f"resnet{depth}")


def feature_pyramid(
    network: keras.Model,
    mean: Sequence[float] | None = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
    synchronized: bool = True,
    name: str | None = None,
) -> keras.Model:
    """Gives a network the form that harl_tf trains: images 0–255 in, a dict of maps out.

    Batch normalisation is replaced by ``FusedBatchNormalization``; weights are copied, so a
    pretrained network stays pretrained. The argument itself is not changed. Normalisations inside
    composite layers cannot be reached; a warning says so.

    Args:
        network: A KerasHub backbone with ``pyramid_outputs``, or a functional model whose output
            is a dict of maps ``(batch, height, width, channels)``.
        mean: Per-channel mean to subtract, in 0–255; None if the network normalises by itself.
            Default: ImageNet's.
        std: Per-channel standard deviation to divide by. Default: ImageNet's.
        synchronized: Whether batch statistics span all replicas. Default: True.
        name: Name of the result. Default: the network's.

    Returns:
        A functional ``keras.Model``, ``(batch, height, width, 3)`` → ``{"P2": ..., ...}``.

    Raises:
        ValueError: If the network has no dict of feature maps.

    Example:
        >>> image = keras.Input((None, None, 3))
        >>> network = keras.Model(image, {"P1": keras.layers.Conv2D(4, 3, strides=2)(image)})
        >>> sorted(feature_pyramid(network).output)
        ['P1']
    """
    outputs = getattr(network, "pyramid_outputs", None) or network.output
    if not isinstance(outputs, dict):
        raise ValueError(
            "Expected a KerasHub backbone with `pyramid_outputs`, or a functional model whose "
            f"output is a dict of feature maps. Received: {network.name!r} of type "
            f"{type(network).__name__} with output {outputs}. Wrap it: "
            'keras.Model(network.input, {"P5": network.output}).'
        )
    graph = keras.Model(network.input, outputs, name=name or network.name)
    policy = keras.config.dtype_policy()
    graph = rebuild(graph, FusedBatchNormalization, synchronized=synchronized)
    within = sum(weight.name == "moving_mean" for weight in graph.weights)
    within -= len(batch_normalizations(graph))
    if within:
        warnings.warn(
            f"{within} batch normalisations of {network.name!r} lie inside composite layers and "
            "stay as they are: on several replicas each has its own statistics. Train on one "
            "device, or use a backbone whose normalisations are layers of its graph, like ResNet.",
            stacklevel=2,
        )
    if mean is None:
        return graph
    images = keras.Input((None, None, 3), name="images", dtype=policy.variable_dtype)
    # 0–255 has no exact place in half precision once normalised; the convolutions cast by
    # themselves.
    normalize = keras.layers.Rescaling(
        scale=[1.0 / value for value in std],
        offset=[-center / value for center, value in zip(mean, std, strict=True)],
        dtype=policy.variable_dtype,
        name="normalize",
    )
    return keras.Model(images, graph(normalize(images)), name=graph.name)


def rebuild(
    graph: keras.Model,
    batch_normalization: type[keras.layers.BatchNormalization],
    synchronized: bool = False,
    dtype: str | None = None,
) -> keras.Model:
    """Copies a functional model with another kind of batch normalisation, and its weights.

    Args:
        graph: A functional model, models within it included.
        batch_normalization: Class that takes the place of every batch normalisation.
        synchronized: Its ``synchronized`` argument. Default: False.
        dtype: Dtype or policy that every layer of the copy gets. Default: each its own.

    Returns:
        A functional model of the same graph with the same weight values.

    Example:
        >>> plain = rebuild(resnet(18), keras.layers.BatchNormalization)
        >>> any(isinstance(layer, FusedBatchNormalization) for layer in plain.layers)
        False
    """

    def convert(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.Model):
            return rebuild(layer, batch_normalization, synchronized, dtype)
        config: dict[str, Any] = layer.get_config()
        if dtype is not None and "dtype" in config:
            in_full = isinstance(layer, keras.layers.Rescaling | keras.layers.InputLayer)
            config["dtype"] = keras.DTypePolicy(dtype).variable_dtype if in_full else dtype
        if isinstance(layer, keras.layers.BatchNormalization):
            if config["axis"] == len(layer.input.shape) - 1:  # the last axis, counted from the left
                config["axis"] = -1
            return batch_normalization.from_config({**config, "synchronized": synchronized})
        return layer.__class__.from_config(config)

    copy = keras.models.clone_model(graph, clone_function=convert)
    copy.set_weights(graph.get_weights())
    return copy


def batch_normalizations(graph: keras.Model) -> list[keras.layers.BatchNormalization]:
    """The batch normalisations of a functional model, those of models within it included.

    Those inside composite layers are not seen: they are no part of the graph.

    Example:
        >>> len(batch_normalizations(resnet(18)))
        20
    """
    found = []
    for layer in graph.layers:
        if isinstance(layer, keras.Model):
            found += batch_normalizations(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            found.append(layer)
    return found
