"""Compares a loss and its gradients with a reference in float64."""

from collections.abc import Callable, Collection, Sequence

import numpy as np
import tensorflow as tf

from tests.reference.numeric_gradient import numeric_gradient


def assert_agrees(
    loss: Callable[..., tf.Tensor],
    reference: Callable[..., np.ndarray],
    inputs: Sequence[np.ndarray],
    constants: Collection[int] = (),
    tolerance: float = 1e-6,
) -> None:
    """Asserts equal values and equal gradients, element by element.

    Gradients are those of a sum in which every element of the value has a weight of its own, so
    that no two rows can exchange places unnoticed.

    Args:
        loss: Takes one float64 tensor per input, returns a tensor.
        reference: Takes one float64 array per input, returns an array of the same shape.
        inputs: Where to compare.
        constants: Indices of the inputs that must not get any gradient.
        tolerance: Largest absolute difference allowed.
    """
    expected = np.asarray(reference(*inputs))
    weights = np.random.default_rng(99).uniform(0.5, 1.5, expected.shape)
    tensors = [tf.constant(each, tf.float64) for each in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = loss(*tensors)
        total = tf.reduce_sum(value * weights)
    assert value.dtype == tf.float64
    assert value.shape == expected.shape
    np.testing.assert_allclose(value, expected, rtol=0, atol=tolerance)
    for index, gradient in enumerate(tape.gradient(total, tensors)):
        if index in constants:
            assert gradient is None or not gradient.numpy().any()
            continue

        def weighted(at: np.ndarray, index: int = index) -> float:
            changed = [*inputs[:index], at, *inputs[index + 1 :]]
            return float(np.sum(weights * reference(*changed)))

        slope = numeric_gradient(weighted, inputs[index])
        gradient = np.zeros_like(slope) if gradient is None else gradient.numpy()
        np.testing.assert_allclose(gradient, slope, rtol=0, atol=tolerance)
