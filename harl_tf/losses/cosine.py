"""The distance that BYOL, HARL and SimSiam minimize between predictions and targets."""

import tensorflow as tf

from harl_tf.losses.normalize import l2_normalize


def cosine_distance(predictions: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Squared distance between the normalized vectors, ``2 - 2 cos``; targets are constants.

    Grill et al., Bootstrap Your Own Latent (2020), eq. 2. SimSiam's negative cosine is half this
    distance, minus one.

    Args:
        predictions: ``(..., dimensions)``; need not be normalized.
        targets: ``(..., dimensions)``, from the other view; no gradient flows into them.

    Returns:
        ``(...,)``, from 0 (same direction) to 4 (opposite).

    Example:
        >>> float(cosine_distance(tf.constant([3.0, 0.0]), tf.constant([0.0, 2.0])))
        2.0
    """
    targets = tf.stop_gradient(l2_normalize(targets))
    return 2.0 - 2.0 * tf.reduce_sum(l2_normalize(predictions) * targets, axis=-1)
