"""DenseCL's two formulas: matching the cells of two views, and the loss of matched cells."""

import tensorflow as tf

from harl_tf.losses.normalize import l2_normalize
from harl_tf.losses.temperature import check_temperature


def match_cells(features1: tf.Tensor, features2: tf.Tensor) -> tf.Tensor:
    """For each cell of the first view, the most similar cell of the second.

    Wang et al., Dense Contrastive Learning (2021), eq. 3.

    Args:
        features1: ``(batch, cells, channels)``, the backbone's cells for the first view; need not
            be normalized.
        features2: ``(batch, other_cells, channels)``, those for the second view.

    Returns:
        ``(batch, cells)`` int32, indices into the second view's cells.

    Example:
        >>> first, second = tf.constant([[[1.0, 0.0]]]), tf.constant([[[0.0, 2.0], [3.0, 0.0]]])
        >>> match_cells(first, second).numpy().tolist()
        [[1]]
    """
    similarity = tf.matmul(l2_normalize(features1), l2_normalize(features2), transpose_b=True)
    return tf.stop_gradient(tf.argmax(similarity, axis=-1, output_type=tf.int32))


def dense_contrast(
    query_cells: tf.Tensor,
    key_cells: tf.Tensor,
    matches: tf.Tensor,
    queue: tf.Tensor,
    temperature: float = 0.2,
) -> tf.Tensor:
    """InfoNCE per cell: identify the matching key among the keys of other images.

    Wang et al. 2021, eq. 2.

    Args:
        query_cells: ``(batch, cells, dimensions)``, from the online network's dense head; need not
            be normalized.
        key_cells: ``(batch, other_cells, dimensions)``, from the target network's; constants.
        matches: ``(batch, cells)`` int, as returned by ``match_cells``.
        queue: ``(size, dimensions)``, one key per image of earlier batches: the mean of that
            image's dense cells; constants.
        temperature: Positive. Default: 0.2.

    Returns:
        ``(batch,)``, the loss averaged over each image's cells.

    Raises:
        ValueError: If ``temperature`` is not positive.

    Example:
        >>> cells, queue = tf.ones((1, 4, 8)), tf.ones((3, 8))
        >>> loss = dense_contrast(cells, cells, tf.zeros((1, 4), tf.int32), queue)
        >>> float(tf.exp(loss)[0])
        4.0...
    """
    check_temperature(temperature)
    queries = l2_normalize(query_cells)
    keys, queue = (tf.stop_gradient(l2_normalize(each)) for each in (key_cells, queue))
    matched = tf.gather(keys, matches, axis=1, batch_dims=1)
    positive = tf.reduce_sum(queries * matched, axis=-1, keepdims=True)
    negatives = tf.einsum("bnd,kd->bnk", queries, queue)
    logits = tf.concat([positive, negatives], axis=-1) / temperature
    return tf.reduce_mean(tf.reduce_logsumexp(logits, axis=-1) - logits[..., 0], axis=-1)
