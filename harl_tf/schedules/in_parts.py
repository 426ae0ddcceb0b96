"""Schedules one after another, for a run that goes on after its end.

Owns the schedule, and when one continues another that a run has followed so far. Which parts a run
has is its owner's business (``harl_tf.runs.parts``).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="harl_tf")
class InParts(keras.optimizers.schedules.LearningRateSchedule):
    """Several schedules, each counting from the update at which its part of the run begins.

    A finished run goes on with more epochs as if it had been begun with both parts:
    ``harl_tf.callbacks.Checkpoint.resume`` accepts a schedule whose first parts are those that the
    run has followed so far.

    Args:
        schedules: The schedules, in order.
        lengths: Updates of each part but the last, which has no end. All at least 1.

    Raises:
        ValueError: If there is not one schedule more than there are lengths, or a length is less
            than 1.

    Example:
        Ten updates of a rate that falls to 0, then twenty of one that begins lower:

        >>> parts = [harl_tf.schedules.Cosine(1.0, 0.0, 10), harl_tf.schedules.Cosine(0.5, 0.0, 20)]
        >>> rate = InParts(parts, lengths=[10])
        >>> [round(float(rate(step)), 3) for step in (0, 5, 10, 20, 30)]
        [1.0, 0.5, 0.5, 0.25, 0.0]
    """

    def __init__(
        self,
        schedules: Sequence[keras.optimizers.schedules.LearningRateSchedule],
        lengths: Sequence[int],
    ) -> None:
        super().__init__()
        if len(schedules) != len(lengths) + 1 or any(length < 1 for length in lengths):
            raise ValueError(
                "Expected one schedule more than lengths, which are at least 1. "
                f"Received: {len(schedules)} schedules and lengths={list(lengths)}."
            )
        self.schedules = list(schedules)
        self.lengths = [int(length) for length in lengths]

    def __call__(self, step: Any) -> tf.Tensor:
        """Value of the part that ``step`` is in, in the dtype of the first schedule."""
        step = tf.cast(step, tf.int64)
        value = tf.convert_to_tensor(self.schedules[0](step))
        begin = 0
        for schedule, length in zip(self.schedules[1:], self.lengths, strict=True):
            begin += length
            later = tf.cast(schedule(tf.maximum(step - begin, 0)), value.dtype)
            value = tf.where(step < begin, value, later)
        return value

    def get_config(self) -> dict[str, Any]:
        """Configuration from which the schedule can be rebuilt."""
        serialize = keras.saving.serialize_keras_object
        return {"schedules": [serialize(each) for each in self.schedules], "lengths": self.lengths}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "InParts":
        """Rebuilds the schedule from ``get_config()``."""
        restore = keras.saving.deserialize_keras_object
        return cls([restore(each) for each in config["schedules"]], config["lengths"])


def continues(followed: Any, schedule: Any, step: int) -> bool:
    """Whether a schedule agrees with another on all updates that a run has made so far.

    Args:
        followed: Serialized schedule that the run has followed.
        schedule: Serialized schedule that it is to follow from now on.
        step: Updates made.

    Returns:
        Whether ``schedule`` is an ``InParts`` that begins with the parts of ``followed``, and no
        later part should have begun before ``step``.

    Example:
        >>> short, more = harl_tf.schedules.Cosine(1, 0, 10), harl_tf.schedules.Cosine(1, 0, 20)
        >>> longer = InParts([short, more], [10])
        >>> short, longer = map(keras.saving.serialize_keras_object, (short, longer))
        >>> continues(short, longer, step=10), continues(short, longer, step=11)
        (True, False)
    """
    if not is_in_parts(schedule):
        return False
    before, lengths = _parts(followed)
    now, ends = _parts(schedule)
    return (
        len(before) < len(now)
        and now[: len(before)] == before
        and ends[: len(lengths)] == lengths
        and step <= sum(ends[: len(before)])
    )


def is_in_parts(config: Any) -> bool:
    """Whether something serialized is an ``InParts``.

    Example:
        >>> is_in_parts(keras.saving.serialize_keras_object(harl_tf.schedules.Cosine(1, 0, 10)))
        False
    """
    return isinstance(config, Mapping) and config.get("registered_name") == "harl_tf>InParts"


def _parts(config: Any) -> tuple[list[Any], list[int]]:
    """Serialized schedules and lengths; any other schedule is one part without end."""
    if not is_in_parts(config):
        return [config], []
    found: Iterable[Any] = config["config"]["schedules"]
    return list(found), list(config["config"]["lengths"])
