"""Target networks: copies that follow the online network as a moving average.

Owns the copy and its update. A target starts equal to its online network, and its weights follow as
a moving average. Its batch statistics are not averaged: they come from the batches the target
itself sees, as in BYOL and MoCo.
"""

from collections.abc import Iterable

import keras
import tensorflow as tf


def target_copy(network: keras.Model) -> keras.Model:
    """A copy of a network without trainable variables.

    Batch normalization in it still uses batch statistics when training.

    Args:
        network: A built functional or sequential model.

    Returns:
        A model with the same structure and weight values.

    Example:
        >>> online = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        >>> len(online.trainable_variables), len(target_copy(online).trainable_variables)
        (2, 0)
    """
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    for variable in copy.trainable_variables:
        variable.trainable = False
    return copy


def follow(pairs: Iterable[tuple[keras.Model, keras.Model]], momentum: tf.Tensor) -> None:
    """Moves targets towards their online networks: ``ξ ← τ ξ + (1 - τ) θ``.

    Args:
        pairs: Online networks and their targets.
        momentum: Scalar in [0, 1], the τ of this step.

    Example:
        >>> online = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> target = target_copy(online)
        >>> _ = online.layers[0].bias.assign([1.0])
        >>> follow([(online, target)], tf.constant(0.9))
        >>> float(target.layers[0].bias[0])
        0.1...
    """
    for online, target in pairs:
        for source, copy in zip(online.weights, target.weights, strict=True):
            if source.trainable:
                tau = tf.cast(momentum, copy.dtype)
                copy.assign(copy * tau + source * (1.0 - tau))
