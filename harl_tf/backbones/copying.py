"""Copies of a functional network with different batch normalization or precision.

Owns the traversal of the graph. Training, export and loading use the copies.
"""

from typing import Any

import keras
import keras_hub

from harl_tf.backbones.batch_norm_layers import batch_normalizations
from harl_tf.backbones.frozen import FrozenBatchNormalization
from harl_tf.backbones.levels import FeaturePyramid
from harl_tf.layers import FusedBatchNormalization

_IN_FULL = (keras.layers.InputLayer, keras.layers.Rescaling, keras.layers.Normalization)


def rebuild(
    graph: keras.Model,
    batch_normalization: type[keras.layers.BatchNormalization],
    synchronized: bool = False,
    dtype: str | None = None,
) -> keras.Model:
    """Copies a functional model and its weights, with another kind of batch normalization.

    Batch normalization inside composite layers keeps its kind. A copy with Keras's own
    ``BatchNormalization`` consists of Keras's own classes, so that a file saved from it opens
    without harl_tf; a ``FrozenBatchNormalization`` is then frozen by its flag.

    Args:
        graph: A functional model; nested models are included.
        batch_normalization: Class that replaces every batch normalization, except that
            ``FusedBatchNormalization`` does not replace ``FrozenBatchNormalization``.
        synchronized: Its ``synchronized`` argument. Default: False.
        dtype: Dtype or dtype policy of every layer of the copy. Default: unchanged.

    Returns:
        A functional model with the same graph and the same weight values.

    Raises:
        ValueError: If a layer cannot be made from its own configuration.

    Example:
        >>> plain = rebuild(resnet(18), keras.layers.BatchNormalization)
        >>> any(type(layer).__name__ == "FusedBatchNormalization" for layer in plain.layers)
        False
    """

    def convert(layer: keras.layers.Layer) -> keras.layers.Layer:
        whole = isinstance(layer, keras_hub.models.Backbone) and not batch_normalizations(layer)
        if isinstance(layer, keras.Model) and not whole:
            return rebuild(layer, batch_normalization, synchronized, dtype)
        if not isinstance(layer, keras.layers.BatchNormalization):
            return _copy(layer, dtype)
        config = _config(layer, dtype)
        if config["axis"] == layer.input_spec.ndim - 1:  # the last axis, counted from the left
            config["axis"] = -1
        kind = _kind(layer, batch_normalization)
        return kind.from_config({**config, "synchronized": synchronized})

    copy = keras.models.clone_model(_not_compiled(graph), clone_function=convert)
    copy.set_weights(graph.get_weights())
    if not isinstance(copy, FeaturePyramid):
        return copy
    if not issubclass(batch_normalization, FusedBatchNormalization):
        return keras.Model(copy.input, copy.output, name=copy.name)
    copy.origin = graph.origin
    return copy


def _not_compiled(graph: keras.Model) -> keras.Model:
    """The same graph: of a compiled one, Keras would copy losses, metrics and optimizer, too.

    Those may be a user's own, which cannot be made again from their configuration.
    """
    if not graph.compiled:
        return graph
    kind = FeaturePyramid if isinstance(graph, FeaturePyramid) else keras.Model
    return kind(graph.input, graph.output, name=graph.name)


def _kind(
    layer: keras.layers.BatchNormalization, asked_for: type[keras.layers.BatchNormalization]
) -> type[keras.layers.BatchNormalization]:
    frozen = isinstance(layer, FrozenBatchNormalization)
    return type(layer) if frozen and asked_for is FusedBatchNormalization else asked_for


def _config(layer: keras.layers.Layer, dtype: str | None) -> dict[str, Any]:
    """The layer's configuration, with the dtype asked for."""
    config: dict[str, Any] = layer.get_config()
    if dtype is not None and "dtype" in config:
        in_full = isinstance(layer, _IN_FULL)
        config["dtype"] = keras.DTypePolicy(dtype).variable_dtype if in_full else dtype
    return config


def _copy(layer: keras.layers.Layer, dtype: str | None) -> keras.layers.Layer:
    try:
        return type(layer).from_config(_config(layer, dtype))
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ValueError(
            "Expected a network whose layers can be made again from their get_config(), to copy, "
            f"save and export it. Received: the layer {layer.name!r}, whose class "
            f"{type(layer).__name__} cannot. Use another network, or a whole KerasHub backbone as "
            'one layer: image = keras.Input(shape); keras.Model(image, {"P5": backbone(image)}).'
        ) from error
