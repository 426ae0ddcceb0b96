"""Float64 NumPy reference of DenseCL's matching of cells and of its dense loss.

Written from Wang et al., Dense Contrastive Learning for Self-Supervised Visual Pre-Training, 2021,
with explicit loops. Shapes: ``B`` images, ``N`` and ``M`` cells, ``K`` places in the queue, ``C``
and ``D`` dimensions.
"""

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.vectors_numpy import Floats, Ints, cosine, log_sum_exp


def match_cells(features1: ArrayLike, features2: ArrayLike) -> Ints:
    """Return ``argmax_j cos(f1_i, f2_j)`` for every cell ``i``; of equals the first.

    Args:
        features1: Shape (B, N, C).
        features2: Shape (B, M, C).

    Returns:
        Indices of cells of view 2, shape (B, N).
    """
    f1 = np.asarray(features1, dtype=np.float64)
    f2 = np.asarray(features2, dtype=np.float64)
    matches = np.zeros(f1.shape[:2], dtype=np.int64)
    for b in range(f1.shape[0]):
        for i in range(f1.shape[1]):
            best = -np.inf
            for j in range(f2.shape[1]):
                similarity = cosine(f1[b, i], f2[b, j])
                if similarity > best:
                    best = similarity
                    matches[b, i] = j
    return matches


def dense_contrast(
    query_cells: ArrayLike,
    key_cells: ArrayLike,
    matches: ArrayLike,
    queue: ArrayLike,
    temperature: float = 0.2,
) -> Floats:
    """Tell every cell's matched key from those of the queue (eq. 2).

    With ``s(a, b) = cos(a, b) / temperature`` and ``k_i`` the key of cell ``matches_i``::

        L_b = (1 / N) sum_i [ log( e^{s(q_i, k_i)} + sum_m e^{s(q_i, u_m)} ) - s(q_i, k_i) ]

    Args:
        query_cells: Shape (B, N, D).
        key_cells: Shape (B, M, D).
        matches: Shape (B, N), indices of cells of the same image.
        queue: Shape (K, D), the negatives of every cell.
        temperature: Divides the cosine similarities.

    Returns:
        The losses, shape (B,).
    """
    q = np.asarray(query_cells, dtype=np.float64)
    k = np.asarray(key_cells, dtype=np.float64)
    u = np.asarray(queue, dtype=np.float64)
    index = np.asarray(matches, dtype=np.int64)
    batch, cells, _ = q.shape
    losses = np.zeros(batch)
    for b in range(batch):
        for i in range(cells):
            positive = cosine(q[b, i], k[b, index[b, i]]) / temperature
            logits = [positive]
            for m in range(u.shape[0]):
                logits.append(cosine(q[b, i], u[m]) / temperature)
            losses[b] += (log_sum_exp(logits) - positive) / cells
    return losses
