"""A linear probe in closed form: what a linear classifier makes of frozen features."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.sparse
import scipy.special

from harl_tf.evaluation.score import Score, chance_accuracy
from harl_tf.evaluation.vectors import check_data, parts

PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Penalties to choose from. The variance of a standardized feature is 1."""

_HELD_OUT = 5
"""One in so many images of a class judges the penalties."""
_LARGEST_PART = 8_000_000
"""Largest number of features, or of scores, that are computed with at once."""
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
        train_vectors: ``(train, dimensions)``. They are read in parts, and the smaller of their two
            Gram matrices is made; neither a copy of all of them in float64 nor their one-hot
            labels.
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
    classes, columns = np.unique(labels, return_inverse=True)
    center, scale = _standardization(vectors)
    bias = np.bincount(columns) / len(columns)
    penalty = choose_penalty(vectors, labels, penalties)
    (found,) = _ridge(vectors, center, scale, columns, [penalty])
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
    classes, columns = np.unique(labels, return_inverse=True)
    # With centered features and targets the bias is the mean of the targets.
    bias = np.bincount(columns) / len(columns)
    weights = _ridge(train, center, scale, columns, penalties)
    found = [np.empty(len(test), classes.dtype) for _ in penalties]
    errors = [0.0] * len(penalties)
    for part in parts(len(test), max(train.shape[1], len(classes)), _LARGEST_PART):
        features = (test[part] - center) / scale
        for index, each in enumerate(weights):
            scores = features @ each + bias
            found[index][part] = classes[scores.argmax(axis=1)]
            if truth is not None:
                errors[index] += float(np.sum((scores - (truth[part, None] == classes)) ** 2))
    return list(zip(found, errors, strict=True))


def _standardization(train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of every feature; constant ones are left out by an infinite deviation."""
    center = train.mean(axis=0, dtype=np.float64)
    variance, largest = np.zeros_like(center), np.zeros_like(center)
    for part in parts(len(train), train.shape[1], _LARGEST_PART):
        variance += np.sum((train[part] - center) ** 2, axis=0) / len(train)
        largest = np.maximum(largest, np.abs(train[part]).max(axis=0))
    scale = np.sqrt(variance)
    return center, np.where(scale <= _CONSTANT * largest, np.inf, scale)


def _ridge(
    vectors: np.ndarray,
    center: np.ndarray,
    scale: np.ndarray,
    columns: np.ndarray,
    penalties: Sequence[float],
) -> list[np.ndarray]:
    """Weights ``(dimensions, classes)`` for each penalty, from the smaller Gram matrix.

    A Cholesky decomposition for each of a few penalties is quicker than one eigendecomposition.
    """
    count, classes = len(vectors), int(columns.max()) + 1
    few = count < vectors.shape[1]
    if few:
        features = (vectors - center) / scale
        gram = features @ features.T
        right = np.eye(classes)[columns] - np.bincount(columns) / count
    else:
        gram, right = _moments(vectors, center, scale, columns, classes)
    found = []
    for penalty in penalties:
        system = gram + penalty * count * np.eye(len(gram))
        solution = scipy.linalg.solve(system, right, assume_a="pos")
        found.append(features.T @ solution if few else solution)
    return found


def _moments(
    vectors: np.ndarray, center: np.ndarray, scale: np.ndarray, columns: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Of standardized features: with each other, and with the centered one-hot classes."""
    width = vectors.shape[1]
    gram, sums = np.zeros((width, width)), np.zeros((classes, width))
    for part in parts(len(vectors), width, _LARGEST_PART):
        features = (vectors[part] - center) / scale
        gram += features.T @ features
        rows = np.arange(len(features))
        ones = np.ones(len(features))
        of_class = scipy.sparse.csr_array(
            (ones, (columns[part], rows)), shape=(classes, len(features))
        )
        sums += of_class @ features
    return gram, (sums - np.outer(np.bincount(columns) / len(columns), sums.sum(axis=0))).T
