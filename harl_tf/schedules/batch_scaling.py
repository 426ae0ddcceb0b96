"""How the learning rate scales with the batch size.

Owns SimCLR's two rules. Both take the size of the global batch, over all replicas.
"""

import math


def linear_scaling(base_rate: float, batch_size: int) -> float:
    """Learning rate proportional to the batch size: ``base_rate * batch_size / 256``.

    The rule of SimCLR, BYOL and HARL for large batches (Chen et al. 2020, appendix B.1).

    Args:
        base_rate: Positive, the rate for a batch of 256. SimCLR uses 0.3, HARL 0.2 (1000 epochs) to
            0.5.
        batch_size: At least 1, the images of the global batch.

    Returns:
        The learning rate, for example to pass as the ``peak`` of ``warmup_cosine``.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> linear_scaling(0.3, batch_size=4096)
        4.8
    """
    _check(base_rate, batch_size)
    return base_rate * batch_size / 256


def sqrt_scaling(base_rate: float, batch_size: int) -> float:
    """Learning rate proportional to the root of the batch size: ``base_rate * sqrt(batch_size)``.

    Better than ``linear_scaling`` for small batches and short runs (Chen et al. 2020,
    appendix B.1).

    Args:
        base_rate: Positive, the rate for a batch of 1. SimCLR uses 0.075.
        batch_size: At least 1, the images of the global batch.

    Returns:
        The learning rate.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        Both of SimCLR's rules give the same rate for its batch of 4096:

        >>> round(sqrt_scaling(0.075, batch_size=4096), 6)
        4.8
    """
    _check(base_rate, batch_size)
    return base_rate * math.sqrt(batch_size)


def _check(base_rate: float, batch_size: int) -> None:
    if not 0 < base_rate < math.inf:
        raise ValueError(f"Expected a finite base_rate > 0. Received: base_rate={base_rate}.")
    if batch_size < 1:
        raise ValueError(f"Expected batch_size >= 1. Received: batch_size={batch_size}.")
