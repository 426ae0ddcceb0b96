"""Linear support vector machines on frozen features, for images of several classes at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from harl_tf.evaluation.optional import needed
from harl_tf.evaluation.vectors import check_vectors, unit

COSTS = tuple(2.0**power for power in range(-19, -3)) + tuple(10.0**power for power in range(-7, 3))
"""Costs to choose from, those of Goyal et al. 2019."""

_DIFFICULT = -1


def svm_map(
    train_vectors: np.ndarray,
    train_targets: np.ndarray,
    test_vectors: np.ndarray,
    test_targets: np.ndarray,
    costs: Sequence[float] = COSTS,
) -> float:
    """Mean over classes of the average precision of a linear SVM, as on Pascal VOC 2007.

    The protocol of Goyal et al. 2019 (Scaling and Benchmarking Self-Supervised Visual
    Representation Learning, section 5.1 and appendix): one machine per class against the rest, on
    vectors of length 1, right answers weighted twofold, the cost of each class chosen by
    cross-validation in three parts of the training images. Needs the extra ``evaluation``.

    Args:
        train_vectors: ``(train, dimensions)``.
        train_targets: ``(train, classes)``: 1 for a class that the image shows, 0 for another, −1
            for one that it shows but that does not count, as VOC's difficult objects.
        test_vectors: ``(test, dimensions)``.
        test_targets: ``(test, classes)``, likewise.
        costs: Positive numbers to choose from. Default: ``COSTS``.

    Returns:
        Mean average precision within [0, 1].

    Raises:
        ValueError: If vectors or targets are not as described, or fewer than three training images
            or no test image show a class, or do not.
        ImportError: If scikit-learn is not installed.

    Example:
        >>> random = np.random.default_rng(0)
        >>> targets = np.eye(2, dtype=int)[random.integers(0, 2, 40)]
        >>> vectors = targets + random.normal(size=(40, 2)) / 10
        >>> svm_map(vectors, targets, vectors, targets, costs=[1.0])
        1.0
    """
    metrics = needed("sklearn.metrics", "scikit-learn")
    train, truth = _checked(train_vectors, train_targets, "train", least=3)
    test, answers = _checked(test_vectors, test_targets, "test", least=1)
    if train.shape[1] != test.shape[1] or truth.shape[1] != answers.shape[1]:
        raise ValueError(
            "Expected training and test images with vectors of the same length and targets for the "
            f"same classes. Received: {train.shape[1]} and {test.shape[1]} dimensions, "
            f"{truth.shape[1]} and {answers.shape[1]} classes."
        )
    found = []
    for target, answer in zip(truth.T, answers.T, strict=True):
        counts, asked = target != _DIFFICULT, answer != _DIFFICULT
        machine = _machine(_best_cost(train[counts], target[counts], costs))
        machine.fit(train[counts], target[counts])
        values = machine.decision_function(test[asked])
        found.append(metrics.average_precision_score(answer[asked], values))
    return float(np.mean(found))


def _best_cost(vectors: np.ndarray, target: np.ndarray, costs: Sequence[float]) -> float:
    """The cost with the highest average precision in three-fold cross-validation."""
    if len(costs) == 1:
        return costs[0]
    selection = needed("sklearn.model_selection", "scikit-learn")
    folds = selection.StratifiedKFold(3, shuffle=True, random_state=0)
    scores = [
        selection.cross_val_score(
            _machine(cost), vectors, target, cv=folds, scoring="average_precision"
        ).mean()
        for cost in costs
    ]
    return costs[int(np.argmax(scores))]


def _machine(cost: float) -> Any:
    classes = needed("sklearn.svm", "scikit-learn")
    return classes.LinearSVC(
        C=cost, class_weight={0: 1, 1: 2}, dual=True, tol=1e-4, max_iter=2000, random_state=0
    )


def _checked(
    vectors: np.ndarray, targets: np.ndarray, part: str, least: int
) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors and int targets."""
    vectors, targets = np.asarray(vectors, np.float64), np.asarray(targets)
    check_vectors(vectors, f"{part}_vectors")
    if targets.ndim != 2 or len(targets) != len(vectors) or not np.isin(targets, (-1, 0, 1)).all():
        raise ValueError(
            f"Expected {part}_targets of shape ({len(vectors)}, classes) with values 1, 0 and -1. "
            f"Received: shape {targets.shape}, values {np.unique(targets)[:5].tolist()}."
        )
    for value, what in ((1, "of"), (0, "without")):
        few = np.flatnonzero((targets == value).sum(axis=0) < least)
        if len(few):
            raise ValueError(
                f"Expected at least {least} images {what} every class in {part}_targets. "
                f"Received: fewer {what} {few[:5].tolist()}; leave these classes out."
            )
    return unit(vectors), targets
