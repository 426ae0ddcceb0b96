"""A linear probe in closed form: what a linear classifier makes of frozen features."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.special

from harl_tf.evaluation.score import Score, chance_accuracy
from harl_tf.evaluation.vectors import check_data

PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Penalties to choose from. The variance of a standardized feature is 1."""

_HELD_OUT = 5
"""One in so many images of a class judges the penalties."""
_CONSTANT = 1e-6
"""Deviation, relative to the largest value, below which a float32 feature is only rounding."""


def linear_accuracy(
    train_vectors: np.ndarray,
    train_labels: np.ndarray,
    test_vectors: np.ndarray,
    test_labels: np.ndarray,
    penalties: Sequence[float] = PENALTIES,
) -> float:
    """Share of test vectors that a linear classifier of the training vectors gets right.

    Ridge regression of one-hot labels on standardized features with a bias: it has one solution, so
    there is no optimizer to tune, and no test image is used to choose anything. A fifth of every
    class of the *training* vectors judges the penalties; the classifier is then made from all of
    them. Classes of one image are not held out; if no class has two, the middle penalty is taken.

    Args:
        train_vectors: ``(train, dimensions)``. A float64 copy of them is made, and the smaller of
            their two Gram matrices.
        train_labels: ``(train,)`` or ``(train, 1)`` ints from 0.
        test_vectors: ``(test, dimensions)``.
        test_labels: ``(test,)`` or ``(test, 1)`` ints from 0. Images of classes that the training
            labels lack count as wrong.
        penalties: Positive numbers to choose from: factors of the squared weights that are added to
            the mean squared error over the images. Default: ``PENALTIES``, 0.001 to 10.

    Returns:
        Accuracy within [0, 1].

    Raises:
        ValueError: If there are no penalties or one is not positive, or vectors or labels are not
            as described or not finite.

    Example:
        >>> train, labels = np.array([[0.0, 5.0], [1.0, 5.0], [4.0, 5.0]]), np.array([0, 0, 1])
        >>> linear_accuracy(train, labels, np.array([[0.5, 5.0], [9.0, 5.0]]), np.array([0, 1]))
        1.0
    """
    if not penalties or not all(0 < each < np.inf for each in penalties):
        raise ValueError(f"Expected positive penalties. Received: penalties={tuple(penalties)}.")
    train, labels, test, truth = check_data(train_vectors, train_labels, test_vectors, test_labels)
    penalty = choose_penalty(train, labels, penalties)
    (found,) = _classify(train, labels, test, [penalty])
    return float(np.mean(found[0] == truth))


def linear_score(
    train_vectors: np.ndarray,
    train_labels: np.ndarray,
    test_vectors: np.ndarray,
    test_labels: np.ndarray,
    penalties: Sequence[float] = PENALTIES,
) -> Score:
    """``linear_accuracy`` with what is needed to judge it.

    Args:
        train_vectors: As for ``linear_accuracy``, and so are the others.
        train_labels: Class numbers.
        test_vectors: Vectors to classify.
        test_labels: Class numbers.
        penalties: Positive numbers to choose from. Default: ``PENALTIES``.

    Returns:
        The accuracy, the number of images and the level of chance.

    Raises:
        ValueError: As for ``linear_accuracy``.

    Example:
        >>> vectors, labels = np.eye(4)[[0, 0, 1, 1]], np.array([0, 0, 1, 1])
        >>> print(linear_score(vectors, labels, vectors, labels))
        linear 1.00 ± .17 of 4 images, chance .50
    """
    data = check_data(train_vectors, train_labels, test_vectors, test_labels)
    accuracy = linear_accuracy(*data, penalties)
    return Score("linear", accuracy, len(data[3]), chance_accuracy(data[1], data[3]))


class LinearClassifier(NamedTuple):
    """A linear classifier of features as they are.

    Attributes:
        weights: ``(dimensions, classes)``.
        bias: ``(classes,)``.
        classes: ``(classes,)``, the labels that the columns stand for.
    """

    weights: np.ndarray
    bias: np.ndarray
    classes: np.ndarray

    def scores(self, vectors: np.ndarray) -> np.ndarray:
        """Of each class for each of ``(images, dimensions)``; the highest one is the answer."""
        return vectors @ self.weights + self.bias


def linear_classifier(
    vectors: np.ndarray, labels: np.ndarray, penalties: Sequence[float] = PENALTIES
) -> LinearClassifier:
    """The classifier that ``linear_accuracy`` scores.

    Args:
        vectors: ``(images, dimensions)``.
        labels: ``(images,)`` or ``(images, 1)`` ints from 0.
        penalties: Positive numbers to choose from. Default: ``PENALTIES``.

    Returns:
        The classifier.

    Raises:
        ValueError: As for ``linear_accuracy``.

    Example:
        >>> classifier = linear_classifier(np.array([[0.0], [1.0], [4.0]]), np.array([2, 2, 5]))
        >>> classifier.classes[classifier.scores(np.array([[0.5], [9.0]])).argmax(axis=1)].tolist()
        [2, 5]
    """
    vectors, labels, _, _ = check_data(vectors, labels, vectors, labels)
    center, scale = _standardization(vectors)
    classes, columns = np.unique(labels, return_inverse=True)
    targets = np.eye(len(classes))[columns]
    bias = targets.mean(axis=0)
    penalty = choose_penalty(vectors, labels, penalties)
    (found,) = _ridge((vectors - center) / scale, targets - bias, [penalty])
    weights = found / scale[:, None]
    return LinearClassifier(weights, bias - center @ weights, classes)


def sharpness(scores: np.ndarray, columns: np.ndarray) -> float:
    """The factor by which scores become logits whose softmax is a probability.

    That with the least cross-entropy (Guo et al. 2017, On Calibration of Modern Neural Networks),
    on images that the classifier was not made from. The answers count as sure only as far as so
    many images can make them (Platt 1999, Probabilistic Outputs for Support Vector Machines), so
    that a few that are all right do not make every probability 1.

    Args:
        scores: ``(images, classes)``.
        columns: ``(images,)``, the column of each image's class.

    Example:
        >>> factor = sharpness(np.array([[1.0, 0.0]] * 4), np.zeros(4, int))
        >>> float(scipy.special.softmax(factor * np.array([1.0, 0.0]))[0].round(3))
        0.833
    """
    images, classes = scores.shape
    targets = np.full((images, classes), 1.0 / (images + classes))
    targets[np.arange(images), columns] *= images + 1.0

    def cross_entropy(logarithm: float) -> float:
        logits = np.exp(logarithm) * scores
        lengths = scipy.special.logsumexp(logits, axis=1, keepdims=True)
        return float(np.mean(((lengths - logits) * targets).sum(axis=1)))

    least = scipy.optimize.minimize_scalar(cross_entropy, bounds=(-3, 6), method="bounded")
    return float(np.exp(least.x))


def default_sharpness(classes: int) -> float:
    """The factor if no image is left to find it with: a score ahead by 1 means nine in ten.

    Ridge regression fits 1 to the right class and 0 to the others.

    Example:
        >>> logits = default_sharpness(3) * np.array([1.0, 0.0, 0.0])
        >>> float(scipy.special.softmax(logits)[0].round(3))
        0.9
    """
    return float(np.log(9.0 * (classes - 1)))


def choose_penalty(vectors: np.ndarray, labels: np.ndarray, penalties: Sequence[float]) -> float:
    """The penalty with which the held-out part of the training vectors is classified best.

    Args:
        vectors: ``(train, dimensions)``.
        labels: ``(train,)`` ints from 0.
        penalties: Positive numbers.

    Returns:
        One of ``penalties``. Of those that are right equally often, the one with the smallest
        squared error; the middle one if nothing can be held out.

    Example:
        >>> choose_penalty(np.eye(3), np.array([0, 1, 2]), [0.1, 1.0, 10.0])
        1.0
    """
    held_out = hold_out(labels)
    if not held_out.any() or len(penalties) == 1:
        return sorted(penalties)[len(penalties) // 2]
    fitted, truth = ~held_out, labels[held_out]
    results = _classify(vectors[fitted], labels[fitted], vectors[held_out], penalties, truth)
    judged = [(np.mean(found == truth), -error) for found, error in results]
    return penalties[max(range(len(penalties)), key=lambda index: judged[index])]


def hold_out(labels: np.ndarray) -> np.ndarray:
    """Which images judge the penalties: a fifth of every class, at least one but never all.

    Args:
        labels: ``(images,)`` ints from 0.

    Returns:
        ``(images,)`` bool, the same for the same labels.

    Example:
        Two of ten, one of three, none of one:

        >>> labels = np.repeat([0, 1, 2], [10, 3, 1])
        >>> np.bincount(labels, hold_out(labels)).tolist()
        [2.0, 1.0, 0.0]
    """
    random = np.random.default_rng(0)
    held_out = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        if len(members) > 1:
            held_out[members[: max(1, len(members) // _HELD_OUT)]] = True
    return held_out


def _classify(
    train: np.ndarray,
    labels: np.ndarray,
    test: np.ndarray,
    penalties: Sequence[float],
    truth: np.ndarray | None = None,
) -> list[tuple[np.ndarray, float]]:
    """For each penalty the classes found for ``test``, and their squared error given the truth."""
    center, scale = _standardization(train)
    features, tested = (train - center) / scale, (test - center) / scale
    classes, columns = np.unique(labels, return_inverse=True)
    targets = np.eye(len(classes))[columns]
    # With centered features and targets the bias is the mean of the targets.
    bias = targets.mean(axis=0)
    found = []
    for weights in _ridge(features, targets - bias, penalties):
        scores = tested @ weights + bias
        error = 0.0 if truth is None else float(np.sum((scores - (truth[:, None] == classes)) ** 2))
        found.append((classes[scores.argmax(axis=1)], error))
    return found


def _standardization(train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of every feature; constant ones are left out by an infinite deviation."""
    center, scale = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
    constant = scale <= _CONSTANT * np.abs(train).max(axis=0)
    return center, np.where(constant, np.inf, scale)


def _ridge(
    features: np.ndarray, targets: np.ndarray, penalties: Sequence[float]
) -> list[np.ndarray]:
    """Weights ``(dimensions, classes)`` for each penalty, from the smaller Gram matrix.

    A Cholesky decomposition for each of a few penalties is quicker than one eigendecomposition.
    """
    few = len(features) < features.shape[1]
    gram = features @ features.T if few else features.T @ features
    right = targets if few else features.T @ targets
    found = []
    for penalty in penalties:
        system = gram + penalty * len(features) * np.eye(len(gram))
        solution = scipy.linalg.solve(system, right, assume_a="pos")
        found.append(features.T @ solution if few else solution)
    return found
