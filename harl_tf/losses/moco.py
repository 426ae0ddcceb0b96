"""MoCo's contrastive loss against a queue of earlier keys.

Owns the formula; the queue is ``harl_tf.layers.KeyQueue``.
"""

import tensorflow as tf

from harl_tf.losses.normalize import l2_normalize
from harl_tf.losses.temperature import check_temperature


def momentum_contrast(
    queries: tf.Tensor, keys: tf.Tensor, queue: tf.Tensor, temperature: float = 0.2
) -> tf.Tensor:
    """InfoNCE: identify each query's key among the keys of the queue.

    He et al., Momentum Contrast for Unsupervised Visual Representation Learning (2020), eq. 1.

    Args:
        queries: ``(batch, dimensions)``, from the online network; need not be normalized.
        keys: ``(batch, dimensions)``, from the target network for the other view; constants.
        queue: ``(size, dimensions)``, keys of earlier batches; constants.
        temperature: Positive. Default: 0.2, MoCo v2's.

    Returns:
        ``(batch,)`` losses.

    Raises:
        ValueError: If ``temperature`` is not positive.

    Example:
        A query equal to its key and to all three keys in the queue has one chance in four:

        >>> float(tf.exp(momentum_contrast(tf.ones((1, 8)), tf.ones((1, 8)), tf.ones((3, 8))))[0])
        4.0...
    """
    check_temperature(temperature)
    queries = l2_normalize(queries)
    keys, queue = (tf.stop_gradient(l2_normalize(tensor)) for tensor in (keys, queue))
    positive = tf.reduce_sum(queries * keys, axis=-1, keepdims=True)
    negatives = tf.matmul(queries, queue, transpose_b=True)
    logits = tf.concat([positive, negatives], axis=-1) / temperature
    return tf.reduce_logsumexp(logits, axis=-1) - logits[:, 0]
