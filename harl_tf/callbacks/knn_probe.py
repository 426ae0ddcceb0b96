"""A probe during pretraining: does the backbone tell the user's classes apart better by now?"""

from collections.abc import Iterable
from typing import Any

import keras

from harl_tf.evaluation import Embedder, knn_accuracy


class KNNProbe(keras.callbacks.Callback):
    """Adds ``knn_accuracy`` to the logs of an epoch, from labelled data of its own.

    It only reads the backbone: training is the same with and without it. Place it before callbacks
    that write logs, such as ``keras.callbacks.CSVLogger``.

    Args:
        train: Labelled batches that vote, as ``harl_tf.data.labeled_images`` makes them.
        test: Labelled batches that are classified.
        every: Epochs between two probes; the first and the last epoch are always probed.
            Default: 1.
        neighbors: How many neighbours vote. Default: 20.

    Raises:
        ValueError: If ``every`` is not positive.

    Example:
        ::

            probe = harl_tf.callbacks.KNNProbe(train, test, every=5)
            model.fit(..., callbacks=[probe, keras.callbacks.CSVLogger("log.csv")])
    """

    def __init__(
        self,
        train: Iterable[Any],
        test: Iterable[Any],
        every: int = 1,
        neighbors: int = 20,
    ) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"Expected every ≥ 1. Received: every={every}.")
        self.train, self.test = train, test
        self.every, self.neighbors = every, neighbors
        self._embed: Embedder | None = None
        self._latest = float("nan")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets an earlier fit, which may have been another model's."""
        self._embed, self._latest = None, float("nan")

    def score(self) -> float:
        """The accuracy of the model as it is now."""
        if self._embed is None:
            self._embed = Embedder(self.model.backbone)
        return knn_accuracy(*self._embed(self.train), *self._embed(self.test), self.neighbors)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Probes the backbone when it is time; between probes the latest value is repeated."""
        first = self._embed is None
        last = epoch + 1 == self.params.get("epochs")
        if first or last or (epoch + 1) % self.every == 0:
            self._latest = self.score()
        if logs is not None:
            logs["knn_accuracy"] = self._latest
