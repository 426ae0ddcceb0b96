"""The few operations on single vectors that the references of the losses share, in float64."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_SQUARED_NORM_FLOOR = 1e-12


def normalize(vector: Floats) -> Floats:
    """Return ``v / sqrt(max(sum_d v_d^2, 1e-12))`` for one vector (D,); zero stays zero."""
    return vector / math.sqrt(max(float(np.sum(vector * vector)), _SQUARED_NORM_FLOOR))


def cosine(a: Floats, b: Floats) -> float:
    """Return ``<n(a), n(b)>`` of two vectors (D,), ``n`` as in `normalize`."""
    return float(np.sum(normalize(a) * normalize(b)))


def log_sum_exp(values: list[float]) -> float:
    """Return ``log sum_k exp(v_k)``; ``values`` must hold at least one number."""
    largest = max(values)
    return largest + math.log(sum(math.exp(value - largest) for value in values))
