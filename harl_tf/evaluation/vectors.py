"""Labeled vectors, checked before anything is computed from them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harl_tf.evaluation.labels import check_labels


def check_data(
    train_vectors: Any, train_labels: Any, test_vectors: Any, test_labels: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vectors and labels of a training and a test set, as a probe needs them.

    Args:
        train_vectors: ``(train, dimensions)``.
        train_labels: ``(train,)`` or ``(train, 1)`` ints from 0.
        test_vectors: ``(test, dimensions)``.
        test_labels: ``(test,)`` or ``(test, 1)`` ints from 0.

    Returns:
        The same four, with labels as ``(images,)`` int64.

    Raises:
        ValueError: If there are no vectors, they are not as described, not finite or of another
            number than their labels, or labels are one-hot, negative or no whole numbers.

    Example:
        >>> check_data(np.ones((2, 3)), [0, 1], np.ones((1, 4)), [0])
        Traceback (most recent call last):
        ValueError: Expected training and test vectors of the same length. Received: 3 and 4.
    """
    train_vectors, test_vectors = np.asarray(train_vectors), np.asarray(test_vectors)
    if not len(train_vectors) or not len(test_vectors):
        raise ValueError(
            "Expected training and test vectors. "
            f"Received: {len(train_vectors)} and {len(test_vectors)}."
        )
    train_labels = check_labels(train_labels, "train_labels")
    test_labels = check_labels(test_labels, "test_labels")
    for part, vectors, labels in (
        ("train", train_vectors, train_labels),
        ("test", test_vectors, test_labels),
    ):
        check_vectors(vectors, f"{part}_vectors")
        if len(vectors) != len(labels):
            raise ValueError(
                f"Expected as many {part}_labels as {part}_vectors. "
                f"Received: {len(labels)} and {len(vectors)}."
            )
    if train_vectors.shape[1] != test_vectors.shape[1]:
        raise ValueError(
            "Expected training and test vectors of the same length. "
            f"Received: {train_vectors.shape[1]} and {test_vectors.shape[1]}."
        )
    return train_vectors, train_labels, test_vectors, test_labels


def parts(count: int, width: int, most: int) -> Iterator[slice]:
    """Rows of a table that are computed with at once, at least one.

    Args:
        count: Number of rows.
        width: Number of columns.
        most: Largest number of cells at once.

    Example:
        >>> list(parts(5, 10, most=25))
        [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    rows = max(1, most // width)
    for first in range(0, count, rows):
        yield slice(first, first + rows)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length 1; a vector of zeros stays one.

    Args:
        vectors: ``(..., dimensions)``.

    Example:
        >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
        [[0.6, 0.8], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: np.ndarray = vectors / np.maximum(lengths, 1e-12)
    return scaled


def check_vectors(vectors: np.ndarray, what: str = "vectors") -> None:
    """Refuses what is no table of finite numbers.

    Args:
        vectors: ``(images, dimensions)``.
        what: What the vectors are, for messages. Default: "vectors".

    Raises:
        ValueError: If their shape is another or a value is NaN or infinite.

    Example:
        >>> check_vectors(np.array([[1.0, np.nan], [0.0, 1.0]]))
        Traceback (most recent call last):
        ValueError: Expected vectors of finite numbers; ... Received: NaN or infinity in 1 of 2 ...
    """
    if vectors.ndim != 2 or not vectors.shape[1]:
        raise ValueError(
            f"Expected {what} of shape (images, dimensions). Received: shape {vectors.shape}."
        )
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"Expected {what} of finite numbers; the network that made them has diverged. "
            f"Received: NaN or infinity in {int((~finite).sum())} of {len(vectors)} vectors."
        )
