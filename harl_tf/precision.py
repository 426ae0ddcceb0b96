"""The dtype policy of Keras: temporarily another one, and the fastest on this machine.

Owns restoring the previous policy. Layers without an explicit dtype, inputs included, take the
global policy when they are created.
"""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf

from harl_tf import processor

AUTO = "auto"
"""The policy that ``resolved`` replaces."""


def resolved(policy: str) -> str:
    """A policy, or for ``"auto"`` the fastest one of this machine that needs no loss scaling.

    Args:
        policy: Name of a policy, or ``"auto"``: ``mixed_bfloat16`` on a processor that computes in
            bfloat16, ``float32`` on others and on machines with a GPU.

    Example:
        >>> resolved("mixed_float16")
        'mixed_float16'
        >>> resolved("auto") in ("float32", "mixed_bfloat16")
        True
    """
    if policy != AUTO:
        return policy
    fast = processor.computes_in("bfloat16") and not tf.config.list_physical_devices("GPU")
    return "mixed_bfloat16" if fast else "float32"


@contextlib.contextmanager
def dtype_policy(policy: str) -> Iterator[None]:
    """Sets the global dtype policy until the block ends.

    Args:
        policy: Its name, such as ``"float32"`` or ``"mixed_bfloat16"``, or ``"auto"``; see
            ``resolved``.

    Example:
        >>> with dtype_policy("mixed_bfloat16"):
        ...     keras.layers.Dense(2).compute_dtype
        'bfloat16'
        >>> keras.layers.Dense(2).compute_dtype
        'float32'
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(resolved(policy))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
