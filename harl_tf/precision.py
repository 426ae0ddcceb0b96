"""Temporarily changing the dtype policy of Keras.

Owns restoring the previous policy. Layers without an explicit dtype, inputs included, take the
global policy when they are created.
"""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def dtype_policy(policy: str) -> Iterator[None]:
    """Sets the global dtype policy until the block ends.

    Args:
        policy: Its name, such as ``"float32"`` or ``"mixed_bfloat16"``.

    Example:
        >>> with dtype_policy("mixed_bfloat16"):
        ...     keras.layers.Dense(2).compute_dtype
        'bfloat16'
        >>> keras.layers.Dense(2).compute_dtype
        'float32'
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
