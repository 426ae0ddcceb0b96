"""Backbones: any KerasHub or Keras network as a feature pyramid that harl_tf can train.

Owns the form of every backbone in this package: a functional ``keras.Model`` from RGB images in
0–255 to a dict of feature maps, normalization included. It does not build networks itself; KerasHub
does.
"""

import warnings
from collections.abc import Sequence

import keras

from harl_tf.backbones.copying import batch_normalizations, rebuild
from harl_tf.layers import FusedBatchNormalization

IMAGENET_MEAN = (123.675, 116.28, 103.53)
"""Mean of ImageNet's RGB values in 0–255 (0.485, 0.456, 0.406 times 255)."""
IMAGENET_STD = (58.395, 57.12, 57.375)
"""Their standard deviation (0.229, 0.224, 0.225 times 255)."""


def feature_pyramid(
    network: keras.Model,
    mean: Sequence[float] | None = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
    synchronized: bool = True,
    name: str | None = None,
) -> keras.Model:
    """Turns a network into the form that harl_tf trains: images 0–255 in, a dict of maps out.

    Batch normalization is replaced by ``FusedBatchNormalization``; weights are copied, so a
    pretrained network stays pretrained. The argument itself is not modified. Batch normalization
    inside composite layers cannot be replaced; a warning says so.

    Args:
        network: A KerasHub backbone with ``pyramid_outputs``, or a functional model whose output
            is a dict of maps ``(batch, height, width, channels)``.
        mean: Per-channel mean to subtract, in 0–255; None if the network normalizes its input
            itself. Default: ImageNet's.
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
            f"{within} batch normalization layers of {network.name!r} are inside composite layers "
            "and cannot be replaced: on several replicas, each keeps its own statistics. Train on "
            "one device, or use a backbone with batch normalization in its graph, such as ResNet.",
            stacklevel=2,
        )
    if mean is None:
        return graph
    images = keras.Input((None, None, 3), name="images", dtype=policy.variable_dtype)
    # Normalized values of 0–255 are not exact in half precision; the convolutions cast by
    # themselves.
    normalize = keras.layers.Rescaling(
        scale=[1.0 / value for value in std],
        offset=[-center / value for center, value in zip(mean, std, strict=True)],
        dtype=policy.variable_dtype,
        name="normalize",
    )
    return keras.Model(images, graph(normalize(images)), name=graph.name)
