"""A callback that says one line about an epoch once Keras's own line of that epoch is complete."""

from typing import Any

import keras

from harl_tf import distribution


class Spoken(keras.callbacks.Callback):
    """Base class: prints ``line`` when the next epoch begins or the training ends.

    Printed at the end of an epoch it would cut Keras's progress bar in two. Only the first worker
    prints, and nobody if ``fit`` is silent.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line: str | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Discards the line of an earlier fit."""
        self.line = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Prints the line of the epoch before."""
        self._say()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Prints the line of the last epoch."""
        self._say()

    def _say(self) -> None:
        line, self.line = self.line, None
        if line is None or not (self.params or {}).get("verbose", 1):
            return
        with self.model.distribute_strategy.scope():
            if distribution.is_chief():
                print(line, flush=True)
