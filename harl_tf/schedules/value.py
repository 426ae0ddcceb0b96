"""Evaluates a number or schedule with enough precision for weights and momenta.

Owns what "a float or a schedule" means wherever an argument may be either: the EMA momentum, the
weight of the foreground, the weight of the whole image.
"""

import numbers
from typing import Any, TypeAlias

import keras
import tensorflow as tf

Schedule: TypeAlias = "float | keras.optimizers.schedules.LearningRateSchedule"
"""A number, or a schedule of its values over the updates of the weights."""


def value_at(schedule: Schedule, step: Any) -> tf.Tensor:
    """Value of a number or of a schedule at a step.

    In a graph the value follows the step, whereas a Python number would be frozen when the function
    is traced.

    Args:
        schedule: A number, constant over the run, or any Keras schedule: ``Cosine``,
            ``warmup_cosine(...)``, ``keras.optimizers.schedules.PiecewiseConstantDecay`` for steps.
            The latter changes *after* a boundary, not at it.
        step: Scalar number of updates made so far; usually ``optimizer.iterations``.

    Returns:
        Scalar float64 tensor; cast it to the dtype it is used with. Keras's default dtype would not
        do: an EMA momentum of 0.999 is 1 in bfloat16, and the threads in which replicas run do not
        see the program's dtype policy.

    Raises:
        TypeError: If ``schedule`` is neither a number nor a Keras schedule.

    Example:
        HARL's weight of the whole image: 0.6, then 0.4 after half of the run and 0.2 after 70 %.

        >>> steps = keras.optimizers.schedules.PiecewiseConstantDecay([50, 70], [0.6, 0.4, 0.2])
        >>> [round(float(value_at(steps, step)), 3) for step in (0, 50, 51, 70, 71)]
        [0.6, 0.6, 0.4, 0.4, 0.2]
        >>> float(value_at(0.5, step=0))
        0.5
    """
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return tf.cast(schedule(step), tf.float64)
    if isinstance(schedule, numbers.Real):
        return tf.constant(schedule, tf.float64)
    raise TypeError(
        "Expected a number or a keras.optimizers.schedules.LearningRateSchedule. "
        f"Received: {schedule!r}."
    )
