"""Copies of a functional network with different batch normalization or precision.

Owns the traversal of the graph. Training, export and loading use the copies.
"""

from typing import Any

import keras


def rebuild(
    graph: keras.Model,
    batch_normalization: type[keras.layers.BatchNormalization],
    synchronized: bool = False,
    dtype: str | None = None,
) -> keras.Model:
    """Copies a functional model and its weights, with another kind of batch normalization.

    Args:
        graph: A functional model; nested models are included.
        batch_normalization: Class that replaces every batch normalization.
        synchronized: Its ``synchronized`` argument. Default: False.
        dtype: Dtype or dtype policy of every layer of the copy. Default: unchanged.

    Returns:
        A functional model with the same graph and the same weight values.

    Example:
        >>> plain = rebuild(resnet(18), keras.layers.BatchNormalization)
        >>> any(type(layer).__name__ == "FusedBatchNormalization" for layer in plain.layers)
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
    """The batch normalization layers of a functional model, including those of nested models.

    Layers inside composite layers are not found, because they are not part of the graph.

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
