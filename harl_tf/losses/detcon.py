"""DetCon's contrastive loss between regions, over all replicas.

Owns the formula of DetCon-B; which regions an image has comes from its masks.
"""

import tensorflow as tf

from harl_tf import distribution
from harl_tf.losses.normalize import l2_normalize
from harl_tf.losses.temperature import check_temperature


def region_contrast(
    predictions1: tf.Tensor,
    predictions2: tf.Tensor,
    targets1: tf.Tensor,
    targets2: tf.Tensor,
    ids1: tf.Tensor,
    ids2: tf.Tensor,
    temperature: float = 0.1,
) -> tf.Tensor:
    """Contrastive loss: identify each region in the other view among all regions of all images.

    Hénaff et al., Efficient Visual Pretraining with Contrastive Detection (2021), eq. 2, in the
    released form of DetCon-B: negatives are all other regions of both views of the global batch;
    a region drawn several times has the same weight as one drawn once; a region missing in the
    other view has zero loss.

    Args:
        predictions1: ``(batch, drawn, dimensions)``, regions of the first view from the online
            network; need not be normalized.
        predictions2: ``(batch, drawn, dimensions)``, of the second view.
        targets1: ``(batch, drawn, dimensions)``, the same regions of the first view from the target
            network; no gradient flows into them.
        targets2: ``(batch, drawn, dimensions)``, of the second view.
        ids1: ``(batch, drawn)`` int, the region number of each drawn region.
        ids2: ``(batch, drawn)`` int, of the second view.
        temperature: Positive. Default: 0.1.

    Returns:
        ``(batch,)`` losses, summed over both directions; their mean is DetCon's loss.

    Raises:
        ValueError: If ``temperature`` is not positive.

    Example:
        Two images with one region each, all regions alike: each query picks the right one of three
        candidates by chance, in both directions.

        >>> same, ids = tf.ones((2, 1, 8)), tf.zeros((2, 1), tf.int32)
        >>> float(tf.exp(region_contrast(same, same, same, same, ids, ids) / 2)[0])
        3.0...
    """
    check_temperature(temperature)
    target1, target2 = (tf.stop_gradient(l2_normalize(each)) for each in (targets1, targets2))
    all1, all2 = distribution.gather_rows(target1), distribution.gather_rows(target2)
    forward = _one_direction(l2_normalize(predictions1), all1, all2, ids1, ids2, temperature)
    backward = _one_direction(l2_normalize(predictions2), all2, all1, ids2, ids1, temperature)
    return forward + backward


def _one_direction(
    queries: tf.Tensor,
    own_view: tf.Tensor,
    other_view: tf.Tensor,
    own_ids: tf.Tensor,
    other_ids: tf.Tensor,
    temperature: float,
) -> tf.Tensor:
    batch, images = tf.shape(queries)[0], tf.shape(own_view)[0]
    image = tf.range(batch) + distribution.first_row_index(batch)
    is_own_image = tf.equal(image[:, None], tf.range(images))[:, None, :, None]
    same_own = tf.equal(own_ids[:, :, None], own_ids[:, None, :])
    positives = tf.equal(own_ids[:, :, None], other_ids[:, None, :])

    to_other = tf.einsum("bmd,gnd->bmgn", queries, other_view) / temperature
    to_own = tf.einsum("bmd,gnd->bmgn", queries, own_view) / temperature
    # A region is not a negative of itself in its own view.
    to_own = tf.where(is_own_image & same_own[:, :, None], to_own.dtype.min / 2, to_own)
    shape = (batch, tf.shape(queries)[1], -1)
    logits = tf.concat([tf.reshape(to_other, shape), tf.reshape(to_own, shape)], axis=-1)
    partition = tf.reduce_logsumexp(logits, axis=-1)

    count = tf.reduce_sum(tf.cast(positives, logits.dtype), axis=-1)
    is_positive = tf.cast(is_own_image & positives[:, :, None], logits.dtype)
    mean_positive = tf.reduce_sum(to_other * is_positive, axis=(2, 3)) / tf.maximum(count, 1.0)
    times_drawn = tf.reduce_sum(tf.cast(same_own, logits.dtype), axis=-1)
    weight = tf.cast(count > 0, logits.dtype) / times_drawn
    return tf.reduce_mean(weight * (partition - mean_positive), axis=-1)
