"""Spread, alignment, uniformity and contrastive accuracy of a batch of paired embeddings.

Owns the formulas. Metrics that are means over images are returned per image, like losses; others
are returned as a scalar of the global batch, the same on every replica.
"""

import tensorflow as tf

from harl_tf import distribution
from harl_tf.losses.normalize import l2_normalize


def embedding_std(embeddings: tf.Tensor) -> tf.Tensor:
    """How far the embeddings are from having collapsed to a single vector.

    Args:
        embeddings: ``(rows, dimensions)``; need not be normalized.

    Returns:
        Scalar: the standard deviation of the normalized embeddings over the rows of all replicas,
        averaged over dimensions and multiplied by √dimensions. 1 if they are spread over the whole
        sphere, 0 if all are equal.

    Example:
        >>> float(embedding_std(tf.eye(64))) > 0.9, round(float(embedding_std(tf.ones((64, 8)))), 3)
        (True, 0.0)
    """
    unit = distribution.gather_rows(l2_normalize(tf.stop_gradient(embeddings)))
    deviation = tf.reduce_mean(tf.math.reduce_std(unit, axis=0))
    scale = float(embeddings.shape[-1]) ** 0.5
    return deviation * scale


def alignment(embeddings1: tf.Tensor, embeddings2: tf.Tensor) -> tf.Tensor:
    """Squared distance between the normalized embeddings of an image's two views.

    Wang and Isola, Understanding Contrastive Representation Learning through Alignment and
    Uniformity on the Hypersphere (2020), with their exponent 2.

    Args:
        embeddings1: ``(batch, dimensions)``, first views; need not be normalized.
        embeddings2: ``(batch, dimensions)``, second views of the same images.

    Returns:
        ``(batch,)`` from 0 (equal) to 4 (opposite). Decreases during training.

    Example:
        >>> alignment(tf.eye(2), tf.eye(2)[::-1]).numpy().tolist()
        [2.0, 2.0]
    """
    unit1, unit2 = (l2_normalize(tf.stop_gradient(each)) for each in (embeddings1, embeddings2))
    return tf.reduce_sum(tf.math.squared_difference(unit1, unit2), axis=-1)


def uniformity(embeddings1: tf.Tensor, embeddings2: tf.Tensor) -> tf.Tensor:
    """Logarithm of the mean Gaussian potential over all pairs of embeddings in the global batch.

    Wang and Isola 2020, with their t = 2, over both views; pairs of an embedding with itself are
    excluded.

    Args:
        embeddings1: ``(batch, dimensions)``, first views; need not be normalized.
        embeddings2: ``(batch, dimensions)``, second views.

    Returns:
        Scalar: 0 if all embeddings are equal, near -4 if they are spread over a high-dimensional
        sphere.

    Example:
        Two opposite vectors, squared distance 4:

        >>> float(uniformity(tf.ones((1, 4)), -tf.ones((1, 4))))
        -8.0...
    """
    similarity, itself, _ = _similarities(embeddings1, embeddings2)
    potential = tf.where(itself, similarity.dtype.min / 2, 4.0 * similarity - 4.0)
    local = tf.reduce_logsumexp(potential, axis=-1)
    pairs = tf.cast(tf.shape(similarity)[1], similarity.dtype)
    everything = tf.reduce_logsumexp(distribution.gather_rows(local))
    return everything - tf.math.log(pairs) - tf.math.log(pairs - 1.0)


def contrastive_accuracy(embeddings1: tf.Tensor, embeddings2: tf.Tensor) -> tf.Tensor:
    """Whether an embedding's nearest neighbor is the other view of the same image.

    Args:
        embeddings1: ``(batch, dimensions)``, first views; need not be normalized.
        embeddings2: ``(batch, dimensions)``, second views of the same images.

    Returns:
        ``(batch,)``: 1, ½ or 0 if both, one or neither of an image's views have the other view as
        nearest neighbor among both views of the global batch. Ties do not count.

    Example:
        >>> contrastive_accuracy(tf.eye(2), tf.eye(2)).numpy().tolist()
        [1.0, 1.0]
        >>> contrastive_accuracy(tf.ones((2, 3)), tf.ones((2, 3))).numpy().tolist()
        [0.0, 0.0]
    """
    similarity, itself, partner = _similarities(embeddings1, embeddings2)
    own = tf.gather(similarity, partner, axis=1, batch_dims=1)
    is_partner = tf.equal(tf.range(tf.shape(similarity)[1])[None], partner[:, None])
    others = tf.where(itself | is_partner, similarity.dtype.min / 2, similarity)
    found = tf.cast(own > tf.reduce_max(others, axis=-1), similarity.dtype)
    return tf.reduce_mean(tf.reshape(found, (2, -1)), axis=0)


def _similarities(first: tf.Tensor, second: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Cosines (2B, 2G) of local and global embeddings; masks of self, column of the partner."""
    unit1, unit2 = (l2_normalize(tf.stop_gradient(each)) for each in (first, second))
    keys = [distribution.gather_rows(unit1), distribution.gather_rows(unit2)]
    similarity = tf.matmul(tf.concat([unit1, unit2], 0), tf.concat(keys, 0), transpose_b=True)
    local, total = tf.shape(unit1)[0], tf.shape(keys[0])[0]
    rows = tf.range(local) + distribution.first_row_index(local)
    own = tf.concat([rows, rows + total], axis=0)
    partner = tf.concat([rows + total, rows], axis=0)
    return similarity, tf.equal(tf.range(2 * total)[None], own[:, None]), partner
