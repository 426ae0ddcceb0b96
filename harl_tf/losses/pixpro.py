"""PixPro's two formulas: propagation within a view and consistency between views."""

import tensorflow as tf

from harl_tf.losses.example_losses import ExampleLosses
from harl_tf.losses.normalize import l2_normalize


def pixel_propagation(
    cells: tf.Tensor, transformed: tf.Tensor, sharpness: float = 2.0
) -> tf.Tensor:
    """Replaces each cell by a similarity-weighted sum of the transformed cells of its view.

    ``y_i = Σ_j max(cos(x_i, x_j), 0)^γ g(x_j)``: Xie et al., Propagate Yourself (2021), eq. 3–4.
    (The released code first scales every g(x_j) to unit length; to reproduce that, pass them
    normalized.)

    Args:
        cells: ``(batch, cells, dimensions)``, the x.
        transformed: ``(batch, cells, units)``, the g(x).
        sharpness: Positive, the paper's γ. Default: 2.

    Returns:
        ``(batch, cells, units)``.

    Raises:
        ValueError: If ``sharpness`` is not positive.

    Example:
        Two opposite cells do not mix:

        >>> cells = tf.constant([[[1.0, 0.0], [-1.0, 0.0]]])
        >>> pixel_propagation(cells, cells).numpy().tolist()
        [[[1.0, 0.0], [-1.0, 0.0]]]
    """
    if sharpness <= 0:
        raise ValueError(f"Expected sharpness > 0. Received: sharpness={sharpness}.")
    unit = l2_normalize(cells)
    similarity = tf.nn.relu(tf.matmul(unit, unit, transpose_b=True))
    if sharpness == 2.0:
        similarity = tf.square(similarity)
    elif sharpness != 1.0:
        # For sharpness below one the power has infinite slope at zero; where the similarity is
        # zero, let the gradient be zero as well.
        safe = tf.where(similarity > 0, similarity, 1.0)
        similarity = tf.where(similarity > 0, tf.pow(safe, sharpness), 0.0)
    return tf.matmul(similarity, tf.cast(transformed, similarity.dtype))


def pixel_consistency(propagated: tf.Tensor, targets: tf.Tensor, near: tf.Tensor) -> ExampleLosses:
    """Mean distance ``2 - 2 cos`` over all pairs of cells that lie near each other in the image.

    Xie et al. 2021, eq. 5, as a distance: the released loss is the sum of both directions minus 4.
    Images whose views have no cells near each other are left out of the mean instead of averaged in
    as zeros.

    Args:
        propagated: ``(batch, cells, dimensions)`` from one view; need not be normalized.
        targets: ``(batch, target_cells, dimensions)`` from the other view; constants.
        near: ``(batch, cells, target_cells)`` bool.

    Returns:
        One value per image; an image counts if its views have any cells near each other.

    Example:
        >>> near = tf.constant([[[True]], [[False]]])
        >>> result = pixel_consistency(tf.ones((2, 1, 8)), -tf.ones((2, 1, 8)), near)
        >>> result.values.numpy().round(5).tolist(), result.counted.numpy().tolist()
        ([4.0, 0.0], [True, False])
    """
    targets = tf.stop_gradient(l2_normalize(targets))
    distance = 2.0 - 2.0 * tf.matmul(l2_normalize(propagated), targets, transpose_b=True)
    weights = tf.cast(near, distance.dtype)
    pairs = tf.reduce_sum(weights, axis=(1, 2))
    loss = tf.reduce_sum(distance * weights, axis=(1, 2)) / tf.maximum(pairs, 1.0)
    return ExampleLosses(loss, pairs > 0)
