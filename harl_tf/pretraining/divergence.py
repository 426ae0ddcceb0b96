"""Stops a run whose loss is no longer finite, before a checkpoint is saved."""

import math
from typing import Any

import keras


class StopOnDivergence(keras.callbacks.Callback):
    """Raises an error when the loss is NaN or infinite; ``Pretraining.fit`` puts it first.

    The loss is checked at every sixteenth step, so that a fast device need not wait for every loss,
    and at the end of every epoch, before a checkpoint is written.

    Example:
        >>> callback = StopOnDivergence()
        >>> callback.on_epoch_end(0, {"loss": 1.0})
    """

    _EVERY = 16

    def __init__(self) -> None:
        super().__init__()
        self._epoch, self._calls = 0, 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remembers the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Checks the loss at every sixteenth step."""
        self._calls += 1
        if self._calls % self._EVERY == 0:
            self._check(logs, f"step {batch + 1}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Checks the loss."""
        self._check(logs, "its end")

    def _check(self, logs: dict[str, Any] | None, where: str) -> None:
        values = {name: float(value) for name, value in (logs or {}).items()}
        if math.isfinite(values.get("loss", 0.0)):
            return
        shown = ", ".join(f"{name}={value:.4g}" for name, value in values.items())
        raise FloatingPointError(
            f"Expected a finite loss. Received: {shown}, in epoch {self._epoch + 1} at {where}. "
            "Nothing was saved in this epoch; earlier checkpoints are unchanged. Start a new run "
            "with a lower learning rate, a longer warm-up or compile(..., global_clip_norm=1.0)."
        )
