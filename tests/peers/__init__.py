"""The same tensors through PyTorch implementations of other people; the extra ``peers``.

Owns how both sides are asked: arrays in, value and gradients out.
"""

import sys

import numpy as np
import tensorflow as tf

NEEDED = "another implementation to compare with: pip install 'harl_tf[peers]'"

# Absolute, on values and gradients of order one. Both sides may sum in another order.
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}

# TensorFlow and Triton each bring an LLVM of their own, and a process that loads Triton second
# crashes. PyTorch does without Triton on the CPU; `None` makes importing it an ImportError.
sys.modules.setdefault("triton", None)


def in_tensorflow(function, *arrays):
    """Value of ``function`` and its gradient with respect to each array, None where constant."""
    tensors = [tf.constant(array) for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = function(*tensors)
    return value.numpy(), [
        None if gradient is None else gradient.numpy() for gradient in tape.gradient(value, tensors)
    ]


def in_torch(function, *arrays):
    """The same in PyTorch."""
    import torch

    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    value = function(*tensors)
    gradients = torch.autograd.grad(value, tensors, allow_unused=True)
    return value.detach().numpy(), [
        None if gradient is None else gradient.numpy() for gradient in gradients
    ]


def assert_same(ours, theirs, tolerance=None):
    """Same dtype, value and gradients, and the same inputs without gradient."""
    (our_value, our_gradients), (their_value, their_gradients) = ours, theirs
    assert our_value.dtype == their_value.dtype
    tolerance = TOLERANCE[our_value.dtype.name] if tolerance is None else tolerance
    np.testing.assert_allclose(our_value, their_value, rtol=0, atol=tolerance)
    constant = [gradient is None for gradient in our_gradients]
    assert constant == [gradient is None for gradient in their_gradients]
    for our_gradient, their_gradient in zip(our_gradients, their_gradients, strict=True):
        if our_gradient is not None:
            np.testing.assert_allclose(our_gradient, their_gradient, rtol=0, atol=tolerance)
