"""Float64 NumPy reference of what embeddings are judged by without labels.

Alignment and uniformity are those of Wang and Isola, Understanding Contrastive Representation
Learning through Alignment and Uniformity on the Hypersphere, 2020, with their defaults (exponents
2 and t = 2). Explicit loops. Shapes: ``B`` images, ``D`` dimensions; all embeddings are brought to
unit length first.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.vectors_numpy import Floats, normalize


def _rows(embeddings1: ArrayLike, embeddings2: ArrayLike) -> tuple[list[Floats], int]:
    """Return the 2B embeddings at unit length, first those of view 1, and B."""
    z1 = np.asarray(embeddings1, dtype=np.float64)
    z2 = np.asarray(embeddings2, dtype=np.float64)
    return [normalize(z) for z in z1] + [normalize(z) for z in z2], z1.shape[0]


def alignment(embeddings1: ArrayLike, embeddings2: ArrayLike) -> float:
    """Return ``(1 / B) sum_b |z1_b - z2_b|^2``; 0 at best, 4 at worst.

    Args:
        embeddings1: Shape (B, D), of view 1.
        embeddings2: Shape (B, D), of view 2.

    Returns:
        The scalar.
    """
    rows, batch = _rows(embeddings1, embeddings2)
    total = 0.0
    for b in range(batch):
        total += float(np.sum((rows[b] - rows[batch + b]) ** 2))
    return total / batch


def uniformity(embeddings1: ArrayLike, embeddings2: ArrayLike) -> float:
    """Return ``log mean_{k != m} exp(-2 |z_k - z_m|^2)`` over the 2B embeddings; 0 at worst.

    Args:
        embeddings1: Shape (B, D), of view 1.
        embeddings2: Shape (B, D), of view 2.

    Returns:
        The scalar.
    """
    rows, _ = _rows(embeddings1, embeddings2)
    total = 0.0
    pairs = 0
    for k in range(len(rows)):
        for m in range(len(rows)):
            if m != k:
                total += math.exp(-2.0 * float(np.sum((rows[k] - rows[m]) ** 2)))
                pairs += 1
    return math.log(total / pairs)


def contrastive_accuracy(embeddings1: ArrayLike, embeddings2: ArrayLike) -> float:
    """Return the share of the 2B embeddings that are more similar to their partner than to others.

    An embedding that is as similar to another one as to its partner has not found it, so that the
    figure of a collapsed network is 0 and not a matter of the order.

    Args:
        embeddings1: Shape (B, D), of view 1.
        embeddings2: Shape (B, D), of view 2.

    Returns:
        The scalar, in [0, 1].
    """
    rows, batch = _rows(embeddings1, embeddings2)
    hits = 0
    for k in range(len(rows)):
        partner = (k + batch) % (2 * batch)
        to_partner = float(np.sum(rows[k] * rows[partner]))
        found = True
        for m in range(len(rows)):
            if m not in (k, partner) and float(np.sum(rows[k] * rows[m])) >= to_partner:
                found = False
        if found:
            hits += 1
    return hits / len(rows)
