"""What a loss says of a batch, image by image, before anything is averaged."""

from typing import NamedTuple

import tensorflow as tf


class ExampleLosses(NamedTuple):
    """The loss of every image of this replica, and which of them count.

    Attributes:
        values: ``(batch,)``.
        counted: ``(batch,)`` bool; images that are False must be left out of the mean, not averaged
            in as zeros. Default: all count.

    Example:
        >>> ExampleLosses(tf.constant([0.5, 0.0]), tf.constant([True, False])).values.shape[0]
        2
    """

    values: tf.Tensor
    counted: tf.Tensor | None = None
