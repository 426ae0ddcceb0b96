"""Gaussian blur of a batch with one standard deviation per image, on any device.

Owns the arithmetic: each line is cut into pieces, and each piece is convolved by multiplying it
with a banded matrix of the Gaussian, because matrix products are fast on every device.
"""

import numpy as np
import tensorflow as tf

_PIECE = 32
"""Output pixels per piece of a line. Smaller pieces multiply by fewer zeros; larger pieces read
fewer pixels twice."""


def blur(images: tf.Tensor, sigma: tf.Tensor, reach: int) -> tf.Tensor:
    """Blurs images; edges are padded with the edge pixel.

    Args:
        images: ``(batch, height, width, channels)`` float32, height and width known.
        sigma: ``(batch,)`` float32, standard deviation in pixels; 0 leaves an image as it is.
        reach: Radius in pixels at which the Gaussian is truncated, such as four standard
            deviations; the truncated Gaussian sums to 1.

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
    # A Gaussian too narrow to reach the neighboring pixels is the identity: no blur.
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
