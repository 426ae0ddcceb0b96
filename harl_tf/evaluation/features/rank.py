"""The number of dimensions that a backbone's features really use; needs no labels."""

import numpy as np

from harl_tf.evaluation.vectors import check_vectors


def effective_rank(vectors: np.ndarray) -> float:
    """Exponential of the entropy of the singular values, normalized to a sum of 1: RankMe.

    Garrido et al., RankMe: Assessing the Downstream Performance of Pretrained Self-Supervised
    Representations by Their Rank (2023). As there, the vectors are not centered. Features after a
    ReLU then have one large singular value, that of their mean, and lower ranks than their spread
    around it has; but if all features become one vector, the rank falls to 1, while around the mean
    it would be that of the rounding errors, which is large. Compare ranks of the same network and
    images only.

    Args:
        vectors: ``(images, dimensions)``; should be more images than dimensions, because the rank
            is at most the smaller of both.

    Returns:
        From 1, all vectors on one line, to the smaller of both numbers; 0 if all are zero.

    Raises:
        ValueError: If there are no vectors or they are not finite.

    Example:
        >>> round(effective_rank(np.eye(8)), 6), round(effective_rank(np.ones((4, 8))), 6)
        (8.0, 1.0)
    """
    vectors = np.asarray(vectors, np.float64)
    check_vectors(vectors)
    if not len(vectors):
        raise ValueError("Expected at least one vector. Received: none.")
    largest = np.abs(vectors).max()
    if not largest:
        return 0.0
    vectors = vectors / largest
    gram = vectors.T @ vectors if len(vectors) > vectors.shape[1] else vectors @ vectors.T
    squares = np.linalg.eigvalsh(gram)
    # Below this an eigenvalue is what rounding has left of 0.
    squares = squares[squares > squares[-1] * len(gram) * np.finfo(np.float64).eps]
    shares = np.sqrt(squares) / np.sqrt(squares).sum()
    return float(np.exp(-np.sum(shares * np.log(shares))))
