"""A kNN probe during pretraining: how well do the features separate labeled classes?"""

from collections.abc import Iterable
from typing import Any

import keras

from harl_tf.evaluation import Embedder, knn_accuracy


class KNNProbe(keras.callbacks.Callback):
    """Adds ``knn_accuracy`` on separate labeled data to the logs of an epoch.

    The probe only reads the backbone and does not affect training. Put it before callbacks that
    write logs, such as ``keras.callbacks.CSVLogger``.

    Args:
        train: Labeled batches used as neighbors, as made by ``harl_tf.data.labeled_images``.
        test: Labeled batches to classify.
        every: Probe every this many epochs; the first and last epochs are always probed. Default:
            1.
        neighbors: Number of neighbors that vote. Default: 20.

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
        """Discards the state of an earlier fit, possibly of another model."""
        self._embed, self._latest = None, float("nan")

    def score(self) -> float:
        """The current kNN accuracy of the model."""
        if self._embed is None:
            self._embed = Embedder(self.model.backbone)
        return knn_accuracy(*self._embed(self.train), *self._embed(self.test), self.neighbors)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Probes the backbone if this epoch is due; otherwise repeats the latest value."""
        first = self._embed is None
        last = epoch + 1 == self.params.get("epochs")
        if first or last or (epoch + 1) % self.every == 0:
            self._latest = self.score()
        if logs is not None:
            logs["knn_accuracy"] = self._latest
