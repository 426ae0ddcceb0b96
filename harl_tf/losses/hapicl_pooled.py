"""The two variants of HAPiCL's pixel loss in the released HAPiCLR code, for reproduction.

Both pool similarities over an image or over the batch before taking the logarithm, whereas
``harl_tf.losses.pixel_contrast`` takes the logarithm per cell. They are computed with logsumexp, so
they are finite at any temperature.
"""

import math

import tensorflow as tf

from harl_tf import distribution
from harl_tf.losses.normalize import l2_normalize
from harl_tf.losses.temperature import check_temperature


def pixel_contrast_per_image(
    queries: tf.Tensor,
    keys: tf.Tensor,
    query_regions: tf.Tensor,
    key_regions: tf.Tensor,
    temperature: float = 0.2,
) -> tf.Tensor:
    """One ratio per image: ``-log((P + 1) / (P + Q + 2))``.

    P sums exp(s/τ) over pairs of cells of the same region, Q over all other pairs: the released
    code's ``pixel_level_contrastive_background``. Because of the constants, an image without
    foreground costs about 0, while views that share no region cost about log Q.

    Args:
        queries: ``(batch, cells, dimensions)``, one view's cells; need not be normalized.
        keys: ``(batch, key_cells, dimensions)``, the other view's.
        query_regions: ``(batch, cells)`` int.
        key_regions: ``(batch, key_cells)`` int.
        temperature: Positive. Default: 0.2.

    Returns:
        ``(batch,)`` losses; the released code averages them.

    Raises:
        ValueError: If ``temperature`` is not positive.

    Example:
        One cell of each region, all orthogonal: P and Q are 2.

        >>> queries, keys = tf.eye(4)[None, :2], tf.eye(4)[None, 2:]
        >>> ids = tf.constant([[0, 1]])
        >>> float(tf.exp(-pixel_contrast_per_image(queries, keys, ids, ids))[0])
        0.5...
    """
    positive, everything = _log_sums(queries, keys, query_regions, key_regions, temperature)
    return _log_add(everything, 2.0) - _log_add(positive, 1.0)


def pixel_contrast_per_batch(
    queries: tf.Tensor,
    keys: tf.Tensor,
    query_regions: tf.Tensor,
    key_regions: tf.Tensor,
    temperature: float = 0.2,
) -> tf.Tensor:
    """One denominator per batch: ``-log((P + 1e-5) / Σ_images (P + Q))``.

    The released code's ``pixel_level_contrastive_new_background``. There the denominator spans the
    images on one GPU; here it spans those on all replicas, so the value depends only on the global
    batch. The loss grows with the logarithm of that batch's size and also pushes apart same-region
    pairs of other images.

    Args:
        queries: ``(batch, cells, dimensions)``, one view's cells; need not be normalized.
        keys: ``(batch, key_cells, dimensions)``, the other view's.
        query_regions: ``(batch, cells)`` int.
        key_regions: ``(batch, key_cells)`` int.
        temperature: Positive. Default: 0.2.

    Returns:
        ``(batch,)`` losses; the released code averages them.

    Raises:
        ValueError: If ``temperature`` is not positive.

    Example:
        >>> queries, keys = tf.eye(4)[None, :2], tf.eye(4)[None, 2:]
        >>> ids = tf.constant([[0, 1]])
        >>> float(tf.exp(-pixel_contrast_per_batch(queries, keys, ids, ids))[0])
        0.5...
    """
    positive, everything = _log_sums(queries, keys, query_regions, key_regions, temperature)
    denominator = tf.reduce_logsumexp(distribution.gather_rows(everything))
    return denominator - _log_add(positive, 1e-5)


def _log_sums(
    queries: tf.Tensor,
    keys: tf.Tensor,
    query_regions: tf.Tensor,
    key_regions: tf.Tensor,
    temperature: float,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Logarithms (B,) of P and of P + Q."""
    check_temperature(temperature)
    logits = tf.matmul(l2_normalize(queries), l2_normalize(keys), transpose_b=True) / temperature
    same_region = tf.equal(query_regions[:, :, None], key_regions[:, None, :])
    positive = tf.where(same_region, logits, logits.dtype.min / 2)
    return tf.reduce_logsumexp(positive, axis=(1, 2)), tf.reduce_logsumexp(logits, axis=(1, 2))


def _log_add(logarithm: tf.Tensor, constant: float) -> tf.Tensor:
    """``log(exp(logarithm) + constant)``."""
    return tf.reduce_logsumexp(
        tf.stack([logarithm, tf.ones_like(logarithm) * math.log(constant)]), axis=0
    )
