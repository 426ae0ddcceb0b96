"""Gradients by central differences, what the gradients of the losses are compared with."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.vectors_numpy import Floats


def numeric_gradient(f: Callable[[Floats], float], x: ArrayLike, eps: float = 1e-6) -> Floats:
    """Return the gradient of a scalar function by central differences.

    With ``e_k`` the unit array of element ``k``::

        g_k = (f(x + eps * e_k) - f(x - eps * e_k)) / (2 * eps)

    Args:
        f: Takes a float64 array of the shape of ``x``, returns a scalar.
        x: Where to differentiate, any shape; left unchanged.
        eps: The step.

    Returns:
        The gradient, of the shape of ``x``.
    """
    point = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(point)
    for index in np.ndindex(point.shape):
        above = point.copy()
        below = point.copy()
        above[index] += eps
        below[index] -= eps
        gradient[index] = (float(f(above)) - float(f(below))) / (2.0 * eps)
    return gradient
