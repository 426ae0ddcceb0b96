"""A line an epoch that says in words whether the training learns."""

from collections.abc import Mapping
from typing import Any

import keras

from harl_tf.callbacks.epoch_log import EpochLog
from harl_tf.callbacks.labeled_probe import LabeledProbe
from harl_tf.callbacks.progress import Judgment, judge
from harl_tf.callbacks.spoken import Spoken


class Verdict(Spoken):
    """Says after every epoch, unless ``fit`` is silent, what its metrics mean and what to do.

    Such as ``epoch 7: learning: loss 3.21 → 3.05, spread .93`` or ``epoch 3: collapsing: the spread
    of the embeddings fell from .90 to .12; lower the learning rate, ...``. It judges the metrics
    that all methods have and those of the probes before it in the list of callbacks; with a
    ``LabeledProbe`` it is surest. Noise is reported neither as learning nor as trouble, so the
    first epochs are mostly too early to say. The rules are in ``harl_tf.callbacks.progress``.

    Args:
        log: The log of the run, for the epochs before a resumed one. Default: none, a resumed run
            is judged from there on.
        labels_since: Epochs that were done when the labeled images of the probes became others:
            accuracies of before are not compared. Default: 0.

    Attributes:
        latest: The latest ``Judgment``; None before the first epoch.

    Example:
        ::

            probe, log = LabeledProbe(train, test, every=5), EpochLog("log.csv")
            model.fit(views, epochs=100, callbacks=[probe, log, Verdict(log)])
    """

    def __init__(self, log: EpochLog | None = None, labels_since: int = 0) -> None:
        super().__init__()
        self.log, self.labels_since = log, labels_since
        self.latest: Judgment | None = None
        self._history: list[dict[str, float]] = []
        self._missing: int | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Discards the history of an earlier fit."""
        super().on_train_begin(logs)
        self._history, self._missing, self.latest = [], None, None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Says the last verdict; before the first epoch, reads the earlier ones from the log."""
        super().on_epoch_begin(epoch, logs)
        if self._missing is None:
            self._history = [] if self.log is None else self.log.rows(epoch)
            self._missing = epoch - len(self._history)
            for row in self._history[: max(0, self.labels_since - self._missing)]:
                for name in LabeledProbe.names:
                    row.pop(name, None)
            rates = _earlier_rates(self.model, (self.params or {}).get("steps"), epoch)
            for row, rate in zip(reversed(self._history), reversed(rates), strict=False):
                row["learning_rate"] = rate

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Judges the metrics up to this epoch."""
        rate = _learning_rate(self.model)
        self._history.append({**_numbers(logs or {}), **rate})
        self.latest = judge(self._history, self._missing or 0)
        self.line = f"epoch {epoch + 1}: {self.latest}"


def _earlier_rates(model: keras.Model, steps: int | None, epochs: int) -> list[float]:
    """The learning rates after the epochs before this fit; none if they cannot be known."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or steps is None:
        return []
    # Mixed precision with float16 wraps the optimizer.
    config = getattr(optimizer, "inner_optimizer", optimizer).get_config()["learning_rate"]
    if not isinstance(config, Mapping):
        return [float(config)] * epochs
    schedule = keras.optimizers.schedules.deserialize(config)
    done = [steps * (epoch + 1) for epoch in range(epochs)]
    return [float(keras.ops.convert_to_numpy(schedule(each))) for each in done]


def _numbers(logs: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items()}


def _learning_rate(model: keras.Model) -> dict[str, float]:
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return {}
    return {"learning_rate": float(keras.ops.convert_to_numpy(optimizer.learning_rate))}
