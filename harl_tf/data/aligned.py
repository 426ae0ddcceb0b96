"""Arrays that TensorFlow takes over as they are.

Owns their place in memory: Eigen asks for multiples of 64 bytes, NumPy gives multiples of 16, and
TensorFlow copies what does not suit it.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_ALIGNMENT = 64


def aligned_empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Like ``numpy.empty``, at a place that suits TensorFlow.

    Example:
        >>> aligned_empty((3, 5), np.float32).ctypes.data % 64
        0
    """
    length = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(length + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + length].view(dtype).reshape(shape)
