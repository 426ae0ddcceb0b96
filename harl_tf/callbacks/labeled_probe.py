"""Probes on labeled data during pretraining: how well do the features separate the classes?"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from harl_tf.callbacks.probe import Probe, check_rereadable
from harl_tf.evaluation import (
    Embedder,
    Score,
    check_images,
    check_labels,
    knn_score,
    linear_score,
)
from harl_tf.evaluation.score import in_words


class LabeledProbe(Probe):
    """Adds ``knn_accuracy`` and ``linear_accuracy`` on separate labeled data to an epoch's logs.

    Both are computed from the same vectors, so every image goes through the backbone once a probe.
    The probe only reads the backbone and does not affect training. Put it before callbacks that use
    logs, such as ``EpochLog`` and ``Verdict``. Unless ``fit`` is silent, a line after each probe
    says what the numbers are worth: ``epoch 5: kNN .44 ± .10, linear .52 ± .10 of 25 images, chance
    .33``.

    Args:
        train: Labeled batches to learn from, as made by ``harl_tf.data.labeled_images``.
        test: Labeled batches to classify.
        every: Probe every this many epochs; the first and last epochs are always probed. Default:
            1.
        neighbors: Number of neighbors that vote, at most the median size of the classes. Default:
            20.

    Raises:
        ValueError: If ``every`` is not positive; when training begins, if images or labels are not
            as the backbone and the probe need them.

    Example:
        ::

            probe = harl_tf.callbacks.LabeledProbe(train, test, every=5)
            model.fit(..., callbacks=[probe, harl_tf.callbacks.EpochLog("log.csv")])
    """

    names: tuple[str, ...] = ("knn_accuracy", "linear_accuracy")

    def __init__(
        self,
        train: Iterable[Any],
        test: Iterable[Any],
        every: int = 1,
        neighbors: int = 20,
    ) -> None:
        super().__init__(every)
        self.train, self.test = train, test
        self.neighbors = neighbors
        self._embed: Embedder | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Discards the state of an earlier fit, possibly of another model, and checks the data."""
        super().on_train_begin(logs)
        self._embed = None
        for name, batches in (("train", self.train), ("test", self.test)):
            _check(name, batches)

    def scores(self) -> Mapping[str, Score]:
        """The current accuracies of the model by their names in the logs."""
        data = self.vectors()
        return {
            "knn_accuracy": knn_score(*data, self.neighbors),
            "linear_accuracy": linear_score(*data),
        }

    def vectors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Training vectors, their labels, test vectors and theirs, of the current backbone."""
        if self._embed is None:
            self._embed = Embedder(self.model.backbone)
        return *self._embed(self.train), *self._embed(self.test)

    def measure(self) -> tuple[dict[str, float], str]:
        """The accuracies, and what they are worth."""
        scores = self.scores()
        values = {name: score.accuracy for name, score in scores.items()}
        return values, in_words(list(scores.values()))


def _check(name: str, batches: Iterable[Any]) -> None:
    """Refuses at once what would fail, or mislead, after the first epoch."""
    check_rereadable(name, batches)
    first = next(iter(batches), None)
    if not isinstance(first, tuple | list) or len(first) != 2:
        raise ValueError(
            f"Expected {name} as batches of (images, labels), as harl_tf.data.labeled_images makes "
            f"them. Received: {'none' if first is None else type(first).__name__}."
        )
    check_images(first[0])
    check_labels(first[1], f"{name} labels")
