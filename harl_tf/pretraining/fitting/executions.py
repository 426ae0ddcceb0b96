"""Several steps for each call of the function that Keras calls in ``fit`` and ``evaluate``.

Keras counts in whole calls: with ``steps_per_execution=2`` and 5 steps an epoch it calls three
times, and three calls of two steps each are six. Here the last call of an epoch runs what is left,
so that epochs end where the data's do, schedules count right and a run can be resumed.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf


class Executions:
    """Runs steps on an iterator, several a call but never past the end of an epoch.

    Args:
        step: A function of an iterator that runs one step and returns its logs.
        per_call: Number of steps per call.
        eagerly: Whether to run without a graph. Default: False.

    Example:
        >>> count = tf.Variable(0)
        >>> run = Executions(lambda iterator: {"steps": count.assign_add(next(iterator))}, 2)
        >>> numbers = iter(tf.data.Dataset.from_tensors(1).repeat())
        >>> run.begin_epoch(5)
        >>> [int(run(numbers)["steps"]) for _ in range(3)]
        [2, 4, 5]
    """

    def __init__(
        self, step: Callable[[Any], dict[str, Any]], per_call: int, eagerly: bool = False
    ) -> None:
        def several(iterator: Any, count: tf.Tensor) -> dict[str, Any]:
            logs = step(iterator)
            for _ in tf.range(count - 1):
                logs = step(iterator)
            return logs

        self._per_call = per_call
        self._left: int | None = None
        self._done, self._known = 0, dict[str, Any]()
        self._one: Any = step if eagerly else tf.function(step, reduce_retracing=True)
        self._several = several if eagerly else tf.function(several, reduce_retracing=True)

    def begin_epoch(self, steps: int | None) -> None:
        """Says how many steps the next calls are to run in all.

        Args:
            steps: Their number; None if only the end of the data will tell.
        """
        self._left = steps
        self._done = 0

    def skip(self, steps: int, logs: Mapping[str, Any]) -> None:
        """Says that the first steps of the epoch that has begun were done earlier.

        Args:
            steps: Their number. They are counted, but not run.
            logs: What calls return that run no step.

        Example:
            >>> run = Executions(lambda iterator: {"loss": next(iterator)}, per_call=1)
            >>> run.begin_epoch(3)
            >>> run.skip(2, {"loss": 7})
            >>> numbers = iter(tf.data.Dataset.range(9))
            >>> [int(run(numbers)["loss"]) for _ in range(3)]
            [7, 7, 0]
        """
        self._done, self._known = steps, dict(logs)

    def get_concrete_function(self, iterator: Any) -> Any:
        """The graph of one step, as ``tf.function`` gives it."""
        return self._one.get_concrete_function(iterator)

    def __call__(self, iterator: Any) -> dict[str, Any]:
        """Runs the next steps and returns the logs of the last one."""
        count = self._per_call
        if self._left is not None and self._left > 0:
            count = min(count, self._left)
            self._left -= count
        skipped = min(count, self._done)
        self._done -= skipped
        count -= skipped
        if count == 0:
            return self._known
        return self._one(iterator) if count == 1 else self._several(iterator, tf.constant(count))


def begin_epoch(function: Any, steps: int | None) -> None:
    """Says how many steps the next calls are to run in all, unless a subclass made the function.

    Args:
        function: What ``make_train_function`` or ``make_test_function`` returned.
        steps: As for ``Executions.begin_epoch``.
    """
    if isinstance(function, Executions):
        function.begin_epoch(steps)


class WholeEpochs(keras.callbacks.Callback):
    """Tells the model's ``Executions`` where an epoch begins; ``Pretraining.fit`` adds it."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts counting."""
        begin_epoch(self.model.train_function, self.params.get("steps"))
