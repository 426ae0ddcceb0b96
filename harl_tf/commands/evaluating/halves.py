"""Photographs to learn from and others to score, where somebody names only one set."""

from collections.abc import Sequence

import numpy as np

from harl_tf.commands.refusal import CommandError
from harl_tf.data import in_first_half


def first_half(names: Sequence[str], refusal: str) -> np.ndarray:
    """Which photographs are learned from, by a hash of their names.

    Args:
        names: Of all photographs.
        refusal: What is said if one half is empty.

    Returns:
        ``(photographs,)`` bool.

    Raises:
        CommandError: If one half is empty.

    Example:
        >>> first_half([], "Expected photographs.")
        Traceback (most recent call last):
        harl_tf.commands.refusal.CommandError: Expected photographs.
    """
    first = np.zeros(0, bool)  # TensorFlow has no hash of no names
    if names:
        first = in_first_half(np.array(names)).numpy()
    if first.all() or not first.any():
        raise CommandError(refusal)
    return first
