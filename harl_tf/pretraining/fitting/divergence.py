"""Stops a run whose numbers are no longer finite, before a checkpoint is saved."""

import math
from typing import Any

import keras

from harl_tf import distribution
from harl_tf.pretraining.finite import first_not_finite


class StopOnDivergence(keras.callbacks.Callback):
    """Raises an error once loss or weights are NaN or infinite; ``Pretraining.fit`` puts it first.

    A step whose gradients or weights are not finite reports a loss of NaN, see
    ``harl_tf.pretraining.finite``. The loss is checked at every step, or at every sixteenth if
    there is an accelerator, which need not wait for every loss then; and at the end of every epoch,
    along with every weight, before a checkpoint is written.

    Example:
        >>> callback = StopOnDivergence()
        >>> callback.on_train_batch_end(0, {"loss": 1.0})
    """

    def __init__(self) -> None:
        super().__init__()
        self._epoch, self._calls = 0, 0
        self._every = 16 if distribution.has_accelerator() else 1

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remembers the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Checks the loss if this step is due."""
        self._calls += 1
        if self._calls % self._every == 0 and not _is_finite(logs):
            self._stop(logs, f"step {batch + 1}", first_not_finite(self.model))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Checks the loss and every weight."""
        weight = first_not_finite(self.model)
        if weight is not None or not _is_finite(logs):
            self._stop(logs, "its end", weight)

    def _stop(self, logs: dict[str, Any] | None, where: str, weight: str | None) -> None:
        values = {name: float(value) for name, value in (logs or {}).items()}
        shown = ", ".join(f"{name}={value:.4g}" for name, value in values.items())
        in_weight = f" with NaN or infinity in the weight {weight}" if weight else ""
        raise FloatingPointError(
            f"Expected a finite loss and finite weights. Received: {shown}{in_weight}, in epoch "
            f"{self._epoch + 1} at {where}. Nothing was saved in this epoch; earlier checkpoints "
            "are unchanged. If an image holds NaN, leave it out; otherwise start a new run with a "
            "lower learning rate, a longer warm-up or compile(..., global_clip_norm=1.0)."
        )


def _is_finite(logs: dict[str, Any] | None) -> bool:
    return math.isfinite(float((logs or {}).get("loss", 0.0)))
