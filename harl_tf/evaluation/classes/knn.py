"""Weighted k-nearest-neighbor classification on frozen features."""

import numpy as np

from harl_tf.evaluation.score import Score, chance_accuracy
from harl_tf.evaluation.vectors import check_data, parts, unit

_LARGEST_PART = 8_000_000
"""Largest number of similarities in memory at once."""


def knn_accuracy(
    train_vectors: np.ndarray,
    train_labels: np.ndarray,
    test_vectors: np.ndarray,
    test_labels: np.ndarray,
    neighbors: int = 20,
    temperature: float = 0.07,
    center: bool = False,
) -> float:
    """Share of test vectors whose nearest training vectors vote for the right class.

    Neighbors are the most similar vectors by cosine, and vote with weight ``exp(cosine /
    temperature)`` (Wu et al., Unsupervised Feature Learning via Non-Parametric Instance
    Discrimination, 2018).

    Args:
        train_vectors: ``(train, dimensions)``; need not be normalized.
        train_labels: ``(train,)`` or ``(train, 1)`` ints from 0.
        test_vectors: ``(test, dimensions)``.
        test_labels: ``(test,)`` or ``(test, 1)`` ints from 0.
        neighbors: How many neighbors vote, at most all training vectors. Default: 20.
        temperature: Positive; smaller values give the nearest neighbors more weight. Default: 0.07.
        center: Whether to subtract the training vectors' mean from both sides first. Features after
            a ReLU share a large mean, which makes all cosines alike; whether that hurts depends on
            the network. Default: False, as in the paper.

    Returns:
        Accuracy within [0, 1].

    Raises:
        ValueError: If ``neighbors`` or ``temperature`` is not positive, there are no vectors, they
            are not finite, or labels are one-hot, negative, no whole numbers or of another number
            than the vectors.

    Example:
        >>> east, north = [1.0, 0.0], [0.0, 1.0]
        >>> train, test = np.array([east, north]), np.array([[0.9, 0.1], [0.2, 0.8]])
        >>> knn_accuracy(train, np.array([0, 1]), test, np.array([0, 0]), neighbors=1)
        0.5
    """
    if neighbors < 1 or temperature <= 0:
        raise ValueError(
            "Expected neighbors ≥ 1 and temperature > 0. "
            f"Received: neighbors={neighbors}, temperature={temperature}."
        )
    data = check_data(train_vectors, train_labels, test_vectors, test_labels)
    train_vectors, train_labels, test_vectors, test_labels = data
    origin = train_vectors.mean(axis=0) if center else np.zeros_like(train_vectors[0])
    train = unit(train_vectors - origin)
    neighbors = min(neighbors, len(train))
    classes = int(max(train_labels.max(), test_labels.max())) + 1
    right = 0
    for part in parts(len(test_vectors), max(len(train), classes), _LARGEST_PART):
        similarity = unit(test_vectors[part] - origin) @ train.T
        votes = _votes(similarity, train_labels, classes, neighbors, temperature)
        right += int(np.sum(votes.argmax(axis=1) == test_labels[part]))
    return right / len(test_vectors)


def knn_score(
    train_vectors: np.ndarray,
    train_labels: np.ndarray,
    test_vectors: np.ndarray,
    test_labels: np.ndarray,
    neighbors: int = 20,
    temperature: float = 0.07,
    center: bool = False,
) -> Score:
    """``knn_accuracy`` with what is needed to judge it, and no more neighbors than make sense.

    Beyond the size of a class its images are outvoted by those of other classes, however good the
    features are, so no more neighbors vote than half of the classes have: of classes that are all
    small, no more than their size, and a rare one among large ones does not decide for all.

    Args:
        train_vectors: As for ``knn_accuracy``, and so are the others.
        train_labels: Class numbers.
        test_vectors: Vectors to classify.
        test_labels: Class numbers.
        neighbors: How many neighbors vote, at most the median size of the classes. Default: 20.
        temperature: Positive. Default: 0.07.
        center: Whether to subtract the training vectors' mean. Default: False.

    Returns:
        The accuracy, the number of images and the level of chance.

    Raises:
        ValueError: As for ``knn_accuracy``.

    Example:
        >>> vectors, labels = np.eye(4)[[0, 0, 1, 1]], np.array([0, 0, 1, 1])
        >>> print(knn_score(vectors, labels, vectors, labels))
        kNN 1.00 ± .17 of 4 images, chance .50
    """
    data = check_data(train_vectors, train_labels, test_vectors, test_labels)
    sizes = np.bincount(data[1])
    neighbors = min(neighbors, int(np.median(sizes[sizes > 0])))
    accuracy = knn_accuracy(*data, neighbors, temperature, center)
    return Score("kNN", accuracy, len(data[3]), chance_accuracy(data[1], data[3]))


def _votes(
    similarity: np.ndarray, labels: np.ndarray, classes: int, neighbors: int, temperature: float
) -> np.ndarray:
    nearest = np.argpartition(-similarity, neighbors - 1, axis=1)[:, :neighbors]
    closeness = np.take_along_axis(similarity, nearest, axis=1)
    # Only ratios of weights matter; relative to the nearest neighbor they cannot overflow.
    weights = np.exp((closeness - closeness.max(axis=1, keepdims=True)) / temperature)
    votes = np.zeros((len(similarity), classes))
    np.add.at(votes, (np.arange(len(similarity))[:, None], labels[nearest]), weights)
    return votes
