"""How much of their images' regions the views of a batch contain, image by image."""

import tensorflow as tf


def foreground_share(masks1: tf.Tensor, masks2: tf.Tensor) -> tf.Tensor:
    """Share of the pixels of both views that are not background.

    Args:
        masks1: ``(batch, height, width)`` of region numbers, 0 = background.
        masks2: Those of the second views.

    Returns:
        ``(batch,)`` in [0, 1].

    Example:
        >>> foreground_share(tf.ones((1, 2, 2)), tf.zeros((1, 2, 2))).numpy().tolist()
        [0.5]
    """
    shares = [_foreground(masks) for masks in (masks1, masks2)]
    return (shares[0] + shares[1]) / 2.0


def lost_region_share(masks1: tf.Tensor, masks2: tf.Tensor) -> tf.Tensor:
    """Share of the views that contain no foreground or no background.

    Such views have no pixel-level negatives. A high share points to crops that are too small, or to
    masks that are too small or too large.

    Args:
        masks1: ``(batch, height, width)`` of region numbers, 0 = background.
        masks2: Those of the second views.

    Returns:
        ``(batch,)``: 0, ½ or 1.

    Example:
        >>> lost_region_share(tf.ones((1, 2, 2)), tf.constant([[[0, 1], [1, 1]]])).numpy().tolist()
        [0.5]
    """
    lost = []
    for masks in (masks1, masks2):
        share = _foreground(masks)
        lost.append(tf.cast((share == 0.0) | (share == 1.0), tf.float32))
    return (lost[0] + lost[1]) / 2.0


def _foreground(masks: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.cast(masks > 0, tf.float32), axis=(1, 2))
