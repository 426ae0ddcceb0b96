"""L2 normalization in full precision, the first step of every similarity in this package."""

import keras
import tensorflow as tf


def l2_normalize(vectors: tf.Tensor) -> tf.Tensor:
    """Scales the last axis to length one, in float32 or float64.

    Similarities divided by a small temperature exceed the range of half precision once they are
    exponentiated (e^(1/0.2) = 148, and thousands of such terms are summed), so everything from here
    on is computed in float32 or wider.

    Args:
        vectors: Tensor ``(..., dimensions)`` of any float dtype.

    Returns:
        float32 tensor of that shape (float64 for float64 input). A zero vector stays zero.

    Example:
        >>> l2_normalize(tf.constant([[3.0, 4.0]])).numpy().tolist()
        [[0.600..., 0.800...]]
    """
    if keras.backend.standardize_dtype(vectors.dtype) != "float64":
        vectors = tf.cast(vectors, tf.float32)
    return tf.math.l2_normalize(vectors, axis=-1, epsilon=1e-12)
