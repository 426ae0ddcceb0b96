"""Where the stream of a run begins: at the epoch that training begins with.

``fit`` is given its data before its callbacks run, and a callback may change the first epoch, as
``keras.callbacks.BackupAndRestore`` does after an interruption. The stream therefore asks for its
first epoch only when reading begins.
"""

from typing import Any

import keras


class StreamStart(keras.callbacks.Callback):
    """Remembers the first epoch of a fit; ``Pretraining.fit`` adds it.

    Args:
        epoch: The first epoch unless a callback changes it.

    Example:
        >>> start = StreamStart(0)
        >>> start.on_epoch_begin(3)
        >>> start.on_epoch_begin(4)
        >>> start.epoch
        3
    """

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch
        self._begun = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps the first epoch that begins."""
        if not self._begun:
            self.epoch, self._begun = epoch, True
