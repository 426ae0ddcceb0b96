"""Half a cosine from one value to another.

Owns the schedule of HARL's alpha and beta and of the EMA momentum. Learning rates with a warm-up
are ``harl_tf.schedules.warmup_cosine``.
"""

import math
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="harl_tf")
class Cosine(keras.optimizers.schedules.LearningRateSchedule):
    """``end - (end - start) * (cos(pi * step / steps) + 1) / 2``, up or down, then ``end``.

    HARL's released code uses it as follows, with ``T`` the number of updates of the run:

    - alpha, the weight of the foreground against the background, rises: ``Cosine(0.5, 1.0, T)``;
    - beta, the weight of the whole image, falls: ``Cosine(0.6, 0.0, T)``, in HAPiCLR's code
      ``Cosine(0.7, 0.0, T, floor=0.3)``;
    - the momentum of the target network rises, as in BYOL: ``Cosine(0.996, 1.0, T)``.

    The authors' PyTorch code updates alpha and beta once per epoch; here they change with every
    update.

    Args:
        start: Value at step 0.
        end: Value from ``steps`` on.
        steps: At least 1, the number of updates from ``start`` to ``end``.
        floor: Optional lower bound of the value. Default: none.

    Raises:
        ValueError: If ``steps`` is less than 1, a value is not finite, or ``floor`` is above both
            ``start`` and ``end``, which would make the schedule constant.

    Example:
        >>> momentum = Cosine(0.99, 1.0, steps=100)
        >>> [round(float(momentum(step)), 4) for step in (0, 50, 100, 200)]
        [0.99, 0.995, 1.0, 1.0]
    """

    def __init__(self, start: float, end: float, steps: int, floor: float | None = None) -> None:
        super().__init__()
        if not (math.isfinite(start) and math.isfinite(end)):
            raise ValueError(f"Expected finite start and end. Received: start={start}, end={end}.")
        if steps < 1:
            raise ValueError(f"Expected steps >= 1. Received: steps={steps}.")
        if floor is not None and not floor <= max(start, end):
            raise ValueError(
                f"Expected floor of at most {max(start, end)}, the largest value of the schedule. "
                f"Received: floor={floor}."
            )
        # Plain numbers, since NumPy numbers cannot be serialized in a configuration.
        self.start = float(start)
        self.end = float(end)
        self.steps = int(steps)
        self.floor = None if floor is None else float(floor)

    def __call__(self, step: Any) -> tf.Tensor:
        """Value after ``step`` updates, float64."""
        # float64 inside: float32 cannot count beyond 2^24, and half precision not even to the end
        # of one epoch.
        progress = tf.clip_by_value(keras.ops.cast(step, "float64") / self.steps, 0.0, 1.0)
        value = self.end - (self.end - self.start) * (tf.cos(math.pi * progress) + 1.0) / 2.0
        if self.floor is not None:
            value = tf.maximum(value, self.floor)
        return value

    def get_config(self) -> dict[str, Any]:
        """Configuration from which the schedule can be rebuilt."""
        return {
            "start": self.start,
            "end": self.end,
            "steps": self.steps,
            "floor": self.floor,
        }
