"""A kNN probe during pretraining: how well do the features separate labeled classes?"""

from collections.abc import Iterable
from typing import Any

import keras

from harl_tf import distribution
from harl_tf.evaluation import Embedder, Score, check_images, check_labels, knn_score


class KNNProbe(keras.callbacks.Callback):
    """Adds ``knn_accuracy`` on separate labeled data to the logs of an epoch, and says it in words.

    The probe only reads the backbone and does not affect training. Put it before callbacks that
    write logs, such as ``keras.callbacks.CSVLogger``. Unless ``fit`` is silent, a line after each
    probe says what the number is worth: ``epoch 5: kNN .44 ± .10 of 25 images, chance .33``.

    Args:
        train: Labeled batches used as neighbors, as made by ``harl_tf.data.labeled_images``.
        test: Labeled batches to classify.
        every: Probe every this many epochs; the first and last epochs are always probed. Default:
            1.
        neighbors: Number of neighbors that vote, at most the size of the smallest class. Default:
            20.

    Raises:
        ValueError: If ``every`` is not positive; when training begins, if images or labels are not
            as the backbone and the probe need them.

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
        self._line: str | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Discards the state of an earlier fit, possibly of another model, and checks the data."""
        self._embed, self._latest, self._line = None, float("nan"), None
        for name, batches in (("train", self.train), ("test", self.test)):
            _check(name, batches)

    def score(self) -> Score:
        """The current kNN accuracy of the model, with its standard error and chance."""
        if self._embed is None:
            self._embed = Embedder(self.model.backbone)
        return knn_score(*self._embed(self.train), *self._embed(self.test), self.neighbors)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Says what the last probe found, once Keras's own line of that epoch is complete."""
        self._say()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Likewise."""
        self._say()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Probes the backbone if this epoch is due; otherwise repeats the latest value."""
        first = self._embed is None
        last = epoch + 1 == self.params.get("epochs")
        if first or last or (epoch + 1) % self.every == 0:
            score = self.score()
            self._latest, self._line = score.accuracy, f"epoch {epoch + 1}: {score}"
        if logs is not None:
            logs["knn_accuracy"] = self._latest

    def _say(self) -> None:
        if self._line is None or not (self.params or {}).get("verbose", 1):
            return
        with self.model.distribute_strategy.scope():
            if distribution.is_chief():
                print(self._line, flush=True)
        self._line = None


def _check(name: str, batches: Iterable[Any]) -> None:
    """Refuses at once what would fail, or mislead, after the first epoch."""
    if iter(batches) is batches:
        raise ValueError(
            f"Expected {name} as a data set or a list of batches, which can be read at every "
            f"probe. Received: {type(batches).__name__}, which can be read once."
        )
    first = next(iter(batches), None)
    if not isinstance(first, tuple | list) or len(first) != 2:
        raise ValueError(
            f"Expected {name} as batches of (images, labels), as harl_tf.data.labeled_images makes "
            f"them. Received: {'none' if first is None else type(first).__name__}."
        )
    check_images(first[0])
    check_labels(first[1], f"{name} labels")
