"""Backbones: any KerasHub or Keras network as a feature pyramid that harl_tf can train.

Owns the form of every backbone in this package: a functional ``keras.Model`` from RGB images in
0–255 to a dict of feature maps, normalization included. It does not build networks itself; KerasHub
does.
"""

import json
from collections.abc import Sequence
from typing import Any

import keras
import keras_hub

from harl_tf.backbones.copying import rebuild
from harl_tf.backbones.data_format import check_channels_last
from harl_tf.backbones.hub import PyramidBackbone
from harl_tf.backbones.levels import FeaturePyramid
from harl_tf.backbones.normalization import IMAGENET_STD, mean_to_subtract, normalization
from harl_tf.backbones.strides import named_by_stride
from harl_tf.backbones.tokens import is_token_sequence, token_map
from harl_tf.layers import FusedBatchNormalization


def feature_pyramid(
    network: keras.Model,
    mean: Sequence[float] | str | None = "auto",
    std: Sequence[float] | None = None,
    synchronized: bool = True,
    name: str | None = None,
) -> keras.Model:
    """Turns a network into the form that harl_tf trains: images 0–255 in, a dict of maps out.

    Batch normalization is replaced by ``FusedBatchNormalization``; weights are copied, so a
    pretrained network stays pretrained. The argument itself is not modified. Batch normalization
    inside composite layers, as in EfficientNetV2, stays Keras's own and is synchronized likewise.

    A network with pretrained weights must see the values it was trained with, which cannot be
    known from it. Most of ``keras_hub`` expect ImageNet's mean and deviation; several of
    ``keras.applications`` expect −1 to 1 (``mean=[127.5] * 3, std=[127.5] * 3``), and its ResNet50
    and VGG expect BGR, for which the channels must be reversed in the network itself.

    Args:
        network: A KerasHub backbone with ``pyramid_outputs``, or a functional model whose output
            is a dict of maps ``(batch, height, width, channels)``. Tokens of a transformer,
            ``(batch, tokens, channels)``, are arranged as a map: those of ``ViTBackbone`` with
            patches of 16 pixels become ``"P4"``. A map called ``P<n>`` that has not a cell per
            ``2**n`` pixels is renamed; of several maps of a KerasHub backbone with the same stride,
            the last one is kept.
        mean: Per-channel mean to subtract, in 0–255; None if the network normalizes its input
            itself. Default: "auto", which is None if the network begins with
            ``keras.layers.Rescaling`` or ``Normalization``, and ImageNet's otherwise.
        std: Per-channel standard deviation to divide by. Default: ImageNet's.
        synchronized: Whether batch statistics span all replicas. Default: True.
        name: Name of the result. Default: the network's.

    Returns:
        A ``FeaturePyramid``, ``(batch, height, width, 3)`` → ``{"P2": ..., ...}``, a functional
        ``keras.Model``. Height and width are free unless those of the network are fixed.

    Raises:
        ValueError: If the network has no dict of feature maps or two ``P<n>`` of the same stride,
            would be normalized twice or cannot be copied, or if Keras is set to
            ``channels_first``.

    Example:
        >>> image = keras.Input((None, None, 3))
        >>> network = keras.Model(image, {"P1": keras.layers.Conv2D(4, 3, strides=2)(image)})
        >>> sorted(feature_pyramid(network).output)
        ['P1']
    """
    check_channels_last()
    if isinstance(network, PyramidBackbone):
        network = network.network
    image, maps = _image_and_maps(network)
    name = name or network.name
    graph = keras.Model(image, maps, name=name)
    mean = mean_to_subtract(graph, mean, std)
    policy = keras.config.dtype_policy()
    graph = rebuild(graph, FusedBatchNormalization, synchronized=synchronized)
    origin = _origin(network)
    if mean is None:
        return _pyramid(graph.input, graph.output, name, origin)
    images = keras.Input(image.shape[1:], name="images", dtype=policy.variable_dtype)
    # Normalized values of 0–255 are not exact in half precision; the convolutions cast by
    # themselves.
    std = IMAGENET_STD if std is None else std
    normalize = normalization(mean, std, policy.variable_dtype)
    return _pyramid(images, graph(normalize(images)), name, origin)


def _pyramid(image: Any, maps: Any, name: str, origin: str | None) -> FeaturePyramid:
    pyramid = FeaturePyramid(image, maps, name=name)
    pyramid.origin = origin
    return pyramid


def _origin(network: keras.Model) -> str | None:
    """See ``FeaturePyramid``."""
    if isinstance(network, keras_hub.models.Backbone):
        return json.dumps(keras.saving.serialize_keras_object(network))  # its weights apart
    return network.origin if isinstance(network, FeaturePyramid) else None


def _image_and_maps(network: Any) -> tuple[keras.KerasTensor, dict[str, keras.KerasTensor]]:
    """The input of a network and its feature maps by level."""
    inputs = list(getattr(network, "inputs", None) or [])
    if len(inputs) != 1:
        raise ValueError(
            "Expected a functional model of one input, the images. "
            f"Received: {network!r} of type {type(network).__name__}."
        )
    image = inputs[0]
    # Ours adds levels for KerasHub's models.
    ours = isinstance(network, FeaturePyramid)
    own_names = None if ours else getattr(network, "pyramid_outputs", None)
    outputs = own_names or network.output
    if isinstance(outputs, keras.KerasTensor) and is_token_sequence(outputs):
        # As one layer: the layers inside KerasHub's transformers cannot be copied one by one.
        image = keras.Input(image.shape[1:], dtype=image.dtype)
        outputs = dict([token_map(network(image), *image.shape[1:3])])
    if isinstance(outputs, dict):
        outputs = {
            level: token_map(each, *image.shape[1:3])[1] if is_token_sequence(each) else each
            for level, each in outputs.items()
        }
    if not isinstance(outputs, dict) or any(len(each.shape) != 4 for each in outputs.values()):
        raise ValueError(
            "Expected a KerasHub backbone with `pyramid_outputs`, or a functional model whose "
            "output is a dict of feature maps (batch, height, width, channels). Received: "
            f"{network.name!r} of type {type(network).__name__} with output {outputs}. Wrap it: "
            'keras.Model(network.input, {"P5": network.output}).'
        )
    named = named_by_stride(image, outputs)
    if own_names is None and len(named) < len(outputs):
        raise ValueError(
            "Expected maps of different strides, because a name P<n> means a cell per 2**n pixels. "
            f"Received: {', '.join(outputs)}, whose strides give only {', '.join(named)}. "
            "Leave out a map, or call it otherwise, such as 'stage4'."
        )
    return image, named
