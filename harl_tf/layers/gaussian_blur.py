"""Gaussian blur of a batch whose images have a width of the Gaussian each, on any device.

Owns the arithmetic: a line is convolved by multiplying pieces of it with a band of the Gaussian,
since matrix products are what devices do best.
"""

import numpy as np
import tensorflow as tf

_PIECE = 32
"""Pixels of a line that one product makes: the fewer, the less is multiplied by nothing, and the
more, the less of the lines is read twice."""


def blur(images: tf.Tensor, sigma: tf.Tensor, reach: int) -> tf.Tensor:
    """Blurs images; edges are extended by their last pixel.

    Args:
        images: ``(batch, height, width, channels)`` float32, height and width known.
        sigma: ``(batch,)`` float32, standard deviation in pixels; 0 leaves an image as it is.
        reach: Pixels beyond which the Gaussian is cut off, four standard deviations say; the sum of
            the rest is 1.

    Returns:
        ``(batch, height, width, channels)`` float32.

    Example:
        >>> blur(tf.ones((1, 4, 5, 3)), tf.constant([1.0]), 4).shape.as_list()
        [1, 4, 5, 3]
    """
    band = _band(sigma, reach)
    images = tf.transpose(_along_rows(images, band, reach), (0, 2, 1, 3))
    return tf.transpose(_along_rows(images, band, reach), (0, 2, 1, 3))


def _band(sigma: tf.Tensor, reach: int) -> tf.Tensor:
    """(B, piece, piece + 2 reach): row i holds the Gaussian around column i + reach."""
    distance = np.arange(-reach, reach + 1, dtype=np.float32)
    # One too narrow to reach its neighbours stands for none.
    gaussian = tf.exp(-0.5 * tf.square(distance / tf.maximum(sigma, 1e-3)[:, None]))
    gaussian /= tf.reduce_sum(gaussian, axis=-1, keepdims=True)
    column = np.arange(_PIECE + 2 * reach)[None, :] - np.arange(_PIECE)[:, None]
    within = (column >= 0) & (column <= 2 * reach)
    band = tf.gather(gaussian, np.where(within, column, 0), axis=1)
    return tf.where(within, band, 0.0)


def _along_rows(images: tf.Tensor, band: tf.Tensor, reach: int) -> tf.Tensor:
    """Convolves the axis after the batch."""
    _, length, width, channels = images.shape
    pieces = -(-length // _PIECE)
    starts = np.arange(pieces)[:, None] * _PIECE
    rows = np.clip(starts + np.arange(-reach, _PIECE + reach)[None, :], 0, length - 1)
    shape = (-1, pieces, _PIECE + 2 * reach, width * channels)
    parts = tf.reshape(tf.gather(images, rows, axis=1), shape)
    outputs = tf.reshape(band[:, None] @ parts, (-1, pieces * _PIECE, width, channels))
    return outputs[:, :length]
