"""Retrieval: whether the images most similar to one are of its class."""

from collections.abc import Sequence

import numpy as np

from harl_tf.evaluation.labels import check_labels
from harl_tf.evaluation.vectors import check_vectors, parts, unit

_LARGEST_PART = 8_000_000
"""Largest number of similarities in memory at once."""


_MOST = 5000
"""Images that others are ranked for: ranking takes the square of their number."""


def queries(labels: np.ndarray) -> np.ndarray:
    """The images that all others are ranked for.

    Args:
        labels: ``(images,)`` ints from 0.

    Returns:
        Their numbers: of images that are not alone in their class all, and of more than 5,000 as
        many that lie evenly among them.

    Example:
        >>> queries(np.array([0, 0, 1, 2, 2])).tolist()
        [0, 1, 3, 4]
    """
    found = np.flatnonzero(np.bincount(labels)[labels] > 1)
    if len(found) > _MOST:
        found = found[np.linspace(0, len(found) - 1, _MOST).round().astype(int)]
    return found


def retrieval_scores(
    vectors: np.ndarray, labels: np.ndarray, among: Sequence[int] = (1, 5, 10)
) -> dict[str, float]:
    """Ranks all other images by cosine for every image, or for 5,000 of more.

    Args:
        vectors: ``(images, dimensions)``; need not be normalized.
        labels: ``(images,)`` ints from 0.
        among: Numbers of first places to look at. Default: 1, 5 and 10.

    Returns:
        ``"recall@K"``: the share of images with one of their class among the first K (as in metric
        learning, Oh Song et al. 2016, Deep Metric Learning via Lifted Structured Feature
        Embedding), and ``"map"``: the mean over images of the average precision. Images that are
        alone in their class have nothing to be found and are left out of both.

    Raises:
        ValueError: If vectors or labels are not as described, no two images share a class, or there
            are fewer than K others.

    Example:
        >>> vectors = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.8]])
        >>> retrieval_scores(vectors, np.array([0, 0, 1, 1]), among=[1])
        {'recall@1': 1.0, 'map': 1.0}
    """
    vectors, labels = np.asarray(vectors), check_labels(labels)
    check_vectors(vectors)
    if len(vectors) != len(labels):
        raise ValueError(
            f"Expected as many labels as vectors. Received: {len(labels)} and {len(vectors)}."
        )
    asked = queries(labels)
    if not len(asked):
        raise ValueError("Expected at least two images of a class. Received: none.")
    if not among or min(among) < 1 or max(among) >= len(vectors):
        raise ValueError(
            f"Expected numbers of places from 1 to {len(vectors) - 1}, the number of other images. "
            f"Received: among={tuple(among)}."
        )
    scaled = unit(vectors)
    found = np.zeros(len(among))
    precision = 0.0
    for rows in parts(len(asked), len(scaled), _LARGEST_PART):
        part = asked[rows]
        similarity = scaled[part] @ scaled.T
        similarity[np.arange(len(part)), part] = -np.inf  # itself, which comes last then
        order = np.argsort(-similarity, axis=1, kind="stable")[:, :-1]
        right = labels[order] == labels[part, None]
        found += [right[:, :places].any(axis=1).sum() for places in among]
        precision += _average_precision(right).sum()
    result = {
        f"recall@{places}": float(count) / len(asked)
        for places, count in zip(among, found, strict=True)
    }
    return {**result, "map": float(precision) / len(asked)}


def _average_precision(right: np.ndarray) -> np.ndarray:
    """The mean, over the places of right answers, of the share of right ones up to there."""
    places = np.arange(1, right.shape[1] + 1)
    precision = right.cumsum(axis=1) / places
    return (precision * right).sum(axis=1) / right.sum(axis=1)
