"""Masked average pooling: one vector per region of a feature map."""

from typing import NamedTuple

import tensorflow as tf


class RegionAverage(NamedTuple):
    """Mean features of the regions of each image.

    Attributes:
        vectors: ``(batch, regions, channels)``; zeros where a region is absent.
        present: ``(batch, regions)`` bool.
    """

    vectors: tf.Tensor
    present: tf.Tensor


def region_average(cells: tf.Tensor, weights: tf.Tensor) -> RegionAverage:
    """Averages the cells of each region, normalized by the region's area.

    The pooling of HARL's foreground and background (Tran et al. 2022). Sums are divided by the
    region's area, not by the total number of cells, so that a vector's length does not depend on
    the size of its region.

    Args:
        cells: ``(batch, cells, channels)``.
        weights: ``(batch, cells, regions)``, non-negative: each region's share of the cell, or 0
            and 1.

    Returns:
        A ``RegionAverage`` in the dtype of the weights or wider.

    Example:
        >>> cells = tf.constant([[[1.0], [3.0], [8.0]]])
        >>> foreground = tf.constant([[[1.0], [1.0], [0.0]]])
        >>> region_average(cells, foreground).vectors.numpy().tolist()
        [[[2.0]]]
    """
    if cells.dtype != tf.float64:
        cells = tf.cast(cells, tf.float32)
    weights = tf.cast(weights, cells.dtype)
    area = tf.reduce_sum(weights, axis=1)
    present = area > 0
    total = tf.matmul(weights, cells, transpose_a=True)
    return RegionAverage(total / tf.where(present, area, 1.0)[..., None], present)
