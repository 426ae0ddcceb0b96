"""Evaluations of frozen features by name, each with a value, its error and its settings.

Owns what an evaluation is: a function from labeled vectors to measured values. The measures
themselves have modules of their own.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from harl_tf.evaluation.classes.few_labels import few_labels
from harl_tf.evaluation.classes.knn import knn_score
from harl_tf.evaluation.classes.linear import linear_score
from harl_tf.evaluation.classes.linear_sgd import linear_sgd_score
from harl_tf.evaluation.classes.retrieval import queries, retrieval_scores
from harl_tf.evaluation.classes.svm import svm_map
from harl_tf.evaluation.score import Score, short


class Labeled(NamedTuple):
    """Vectors to learn classes from, and others to score.

    Attributes:
        train_vectors: ``(train, dimensions)``.
        train_labels: ``(train,)`` ints from 0.
        test_vectors: ``(test, dimensions)``.
        test_labels: ``(test,)`` ints from 0.
    """

    train_vectors: np.ndarray
    train_labels: np.ndarray
    test_vectors: np.ndarray
    test_labels: np.ndarray


@dataclasses.dataclass(frozen=True)
class Measured:
    """A value of an evaluation.

    Attributes:
        name: What was measured.
        value: Within [0, 1].
        images: Number of images that it is about.
        error: Standard error; None if it is not known.
        chance: Value of an uninformed answer; None if there is none.
        labels: Number of labels that were used.

    Example:
        >>> print(Measured("map", 0.25, images=40))
        map .25 of 40 images
    """

    name: str
    value: float
    images: int
    error: float | None = None
    chance: float | None = None
    labels: int = 0

    def __str__(self) -> str:
        """One line for people."""
        error = "" if self.error is None else f" ± {short(self.error)}"
        chance = "" if self.chance is None else f", chance {short(self.chance)}"
        labels = f", {self.labels} labels" if self.labels else ""
        return f"{self.name} {short(self.value)}{error} of {self.images} images{labels}{chance}"


Evaluator = Callable[[Labeled, int], list[Measured]]
"""From labeled vectors and a seed to what was measured."""


def _knn(data: Labeled, seed: int) -> list[Measured]:
    return [_measured("knn", knn_score(*data), len(data.train_labels))]


def _linear(data: Labeled, seed: int) -> list[Measured]:
    return [_measured("linear", linear_score(*data), len(data.train_labels))]


def _linear_sgd(data: Labeled, seed: int) -> list[Measured]:
    return [_measured("linear_sgd", linear_sgd_score(*data, seed=seed), len(data.train_labels))]


def _svm(data: Labeled, seed: int) -> list[Measured]:
    known = np.unique(np.concatenate([data.train_labels, data.test_labels]))
    train, test = (
        (labels[:, None] == known).astype(int) for labels in (data.train_labels, data.test_labels)
    )
    value = svm_map(data.train_vectors, train, data.test_vectors, test)
    chance = float(test.mean())  # the average precision of answers in any order
    images, labels = len(data.test_labels), len(data.train_labels)
    return [Measured("svm_map", value, images, chance=chance, labels=labels)]


def _few(share: float, name: str) -> Evaluator:
    def evaluate(data: Labeled, seed: int) -> list[Measured]:
        kept = few_labels(data.train_labels, share, seed=seed)
        score = linear_score(data.train_vectors[kept], data.train_labels[kept], *data[2:])
        return [_measured(name, score, int(kept.sum()))]

    return evaluate


def _retrieval(data: Labeled, seed: int) -> list[Measured]:
    among = [places for places in (1, 5) if places < len(data.test_labels)]
    found = retrieval_scores(data.test_vectors, data.test_labels, among)
    images = len(queries(data.test_labels))
    return [Measured(name, value, images) for name, value in found.items()]


EVALUATORS: Mapping[str, Evaluator] = {
    "knn": _knn,
    "linear": _linear,
    "linear_1%": _few(0.01, "linear_1%"),
    "linear_10%": _few(0.1, "linear_10%"),
    "retrieval": _retrieval,
    "linear_sgd": _linear_sgd,
    "svm": _svm,
}
"""kNN with up to 20 neighbors; the linear classifier in closed form, with all labels and with 1 %
and 10 % of every class; retrieval among the test images; the linear classifier as BYOL's authors
train it; one support vector machine a class, as on VOC 2007."""

DEFAULT = ("knn", "linear", "linear_1%", "linear_10%", "retrieval")
"""Those that take seconds and need no other package."""


def evaluate(data: Labeled, names: tuple[str, ...] = DEFAULT, seed: int = 0) -> list[Measured]:
    """Measures features in several ways.

    Args:
        data: Vectors and labels.
        names: Of ``EVALUATORS``. Default: ``DEFAULT``, without those that take minutes.
        seed: Which labels are kept where only a few are. Default: 0.

    Returns:
        What was measured, in the order of the names.

    Raises:
        KeyError: If there is no such evaluation.
        ValueError: If vectors or labels are not as described.
        ImportError: If an evaluation needs a package that is not installed.

    Example:
        >>> vectors, labels = np.eye(2)[[0, 1] * 10], np.array([0, 1] * 10)
        >>> print(*evaluate(Labeled(vectors, labels, vectors, labels), ("knn",)))
        knn 1.00 ± .03 of 20 images, 20 labels, chance .50
    """
    return [measured for name in names for measured in EVALUATORS[name](data, seed)]


def _measured(name: str, score: Score, labels: int) -> Measured:
    return Measured(name, score.accuracy, score.images, score.standard_error, score.chance, labels)
