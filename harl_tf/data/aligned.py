"""Arrays that TensorFlow can use without copying.

Owns their memory alignment: Eigen needs multiples of 64 bytes, NumPy guarantees multiples of 16,
and TensorFlow copies arrays that are not aligned.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_ALIGNMENT = 64


def aligned_empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Like ``numpy.empty``, but aligned for TensorFlow.

    Example:
        >>> aligned_empty((3, 5), np.float32).ctypes.data % 64
        0
    """
    length = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(length + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + length].view(dtype).reshape(shape)
