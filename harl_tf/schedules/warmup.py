"""The learning rate of the contrastive and bootstrap papers: linear warm-up, then a cosine to 0.

Owns the meaning of ``steps`` (the whole run); ``keras.optimizers.schedules.CosineDecay`` computes
the values.
"""

import math

import keras


def warmup_cosine(
    peak: float, steps: int, warmup_steps: int, start: float = 0.0
) -> keras.optimizers.schedules.CosineDecay:
    """Learning rate that rises linearly to ``peak`` and falls as a cosine to 0 at the end.

    The schedule of SimCLR, BYOL and HARL, whose warm-up lasts 10 epochs. Steps are updates of the
    weights, so the warm-up ends after ``warmup_steps`` updates; with gradient accumulation, count
    updates, not batches.

    Args:
        peak: Positive, the rate after the warm-up; ``harl_tf.schedules.linear_scaling`` derives it
            from the batch.
        steps: Updates of the whole run, warm-up included. (``CosineDecay`` counts ``decay_steps``
            from the end of its warm-up.)
        warmup_steps: Within [0, ``steps``), the updates of the warm-up. 0 starts at ``peak``.
        start: Within [0, ``peak``], the rate at step 0. Default: 0, so the first update changes
            nothing.

    Returns:
        The schedule: ``start + (peak - start) * step / warmup_steps`` during the warm-up, then
        ``peak * (1 + cos(pi * (step - warmup_steps) / (steps - warmup_steps))) / 2``, and 0 after
        ``steps``.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> rate = warmup_cosine(peak=4.8, steps=100, warmup_steps=10)
        >>> [round(float(rate(step)), 4) for step in (0, 5, 10, 55, 100)]
        [0.0, 2.4, 4.8, 2.4, 0.0]
    """
    if not 0 < peak < math.inf:
        raise ValueError(f"Expected a finite peak > 0. Received: peak={peak}.")
    if not 0 <= start <= peak:
        raise ValueError(f"Expected start within [0, peak={peak}]. Received: start={start}.")
    if steps < 1:
        raise ValueError(f"Expected steps >= 1. Received: steps={steps}.")
    if not 0 <= warmup_steps < steps:
        raise ValueError(
            f"Expected warmup_steps within [0, steps={steps}). "
            f"Received: warmup_steps={warmup_steps}."
        )
    # CosineDecay computes in the dtype of its first value, so an int would round everything. NumPy
    # numbers cannot be serialized in its configuration.
    peak, start, steps, warmup_steps = float(peak), float(start), int(steps), int(warmup_steps)
    if warmup_steps == 0:
        return keras.optimizers.schedules.CosineDecay(peak, steps)
    return keras.optimizers.schedules.CosineDecay(
        start,
        steps - warmup_steps,
        warmup_target=peak,
        warmup_steps=warmup_steps,
    )
