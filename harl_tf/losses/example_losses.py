"""Per-image losses of a batch, before any averaging."""

from typing import NamedTuple

import tensorflow as tf


class ExampleLosses(NamedTuple):
    """The loss of every image of this replica, and which of them count.

    Attributes:
        values: ``(batch,)``, one loss per image.
        counted: ``(batch,)`` bool; images marked False must be left out of the mean, not averaged
            in as zeros. Default: all count.

    Example:
        >>> ExampleLosses(tf.constant([0.5, 0.0]), tf.constant([True, False])).values.shape[0]
        2
    """

    values: tf.Tensor
    counted: tf.Tensor | None = None
