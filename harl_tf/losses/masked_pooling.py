"""Masked average pooling: a vector for each region of a feature map."""

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
    """Averages the cells of each region, normalised by the region's area.

    The mean of HARL's foreground and background (Tran et al. 2022). Divided by the area and not by
    the number of all cells, so that the length of a vector does not tell how large its region was.

    Args:
        cells: ``(batch, cells, channels)``.
        weights: ``(batch, cells, regions)``, at least 0: shares of the cells, or 0 and 1.

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
