"""Whether a model's variables are finite: what is not should be neither saved nor exported."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf


def first_not_finite(model: keras.Model) -> str | None:
    """The path of the first variable that contains NaN or infinity.

    Args:
        model: A built model; the state of its optimizer is not looked at.

    Returns:
        The variable's path, or None if all are finite.

    Example:
        >>> dense = keras.layers.Dense(1, name="output")
        >>> model = keras.Sequential([keras.Input((1,)), dense], name="head")
        >>> first_not_finite(model)
        >>> _ = dense.bias.assign([np.nan])
        >>> first_not_finite(model)
        'head/output/bias'
    """
    for variable in model.variables:
        value = keras.ops.convert_to_numpy(variable.value)
        # bfloat16, which NumPy does not know, is of kind V.
        if value.dtype.kind not in "iub" and not np.isfinite(value.astype("float64")).all():
            return str(variable.path)
    return None


def vectors_are_finite(
    variables: Sequence[keras.Variable], gradients: Sequence[tf.Tensor | None]
) -> tf.Tensor:
    """Whether the vectors among variables and gradients are finite; cheap enough for every step.

    Vectors are the biases, the scales, offsets and statistics of batch normalization, and their
    gradients. NaN in a kernel or in an image reaches them within a step.

    Args:
        variables: Variables; those of other ranks and of integers are not looked at.
        gradients: Gradients, likewise; None is skipped.

    Returns:
        Scalar bool tensor.

    Example:
        >>> bool(vectors_are_finite([], [tf.constant([1.0, np.nan])]))
        False
    """
    tensors = [tf.convert_to_tensor(each.value) for each in variables if len(each.shape) == 1]
    tensors += [each for each in gradients if each is not None and each.shape.rank == 1]
    vectors = [tf.cast(each, tf.float32) for each in tensors if each.dtype.is_floating]
    return tf.reduce_all(tf.math.is_finite(tf.concat([*vectors, tf.zeros(1)], axis=0)))
