"""Where the stream of a run begins: at the epoch, and the step of it, that training begins with.

``fit`` is given its data before its callbacks run, and a callback may change the first epoch, as
``keras.callbacks.BackupAndRestore`` does after an interruption. The stream therefore asks for its
start only when reading begins.
"""

from typing import Any

import keras


class StreamStart(keras.callbacks.Callback):
    """Remembers the first epoch of a fit; ``Pretraining.fit`` adds it.

    Args:
        epoch: The first epoch unless a callback changes it.
        of_views: Whether there is a stream that starts here, that of a ``PairedViews``. Default:
            True.

    Attributes:
        epoch: The first epoch.
        step: Steps of it that were done earlier.

    Example:
        >>> start = StreamStart(0)
        >>> start.on_epoch_begin(3)
        >>> start.on_epoch_begin(4)
        >>> start.epoch
        3
    """

    def __init__(self, epoch: int, of_views: bool = True) -> None:
        super().__init__()
        self.epoch, self.step = epoch, 0
        self.of_views = of_views
        self._begun = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps the first epoch that begins."""
        if not self._begun:
            self.epoch, self._begun = epoch, True
