"""Float64 NumPy reference of MoCo's loss with a queue.

Written from the formula alone, with explicit loops. Shapes: ``B`` images, ``K`` places in the
queue, ``D`` dimensions.
"""

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.vectors_numpy import Floats, cosine, log_sum_exp


def momentum_contrast(
    queries: ArrayLike, keys: ArrayLike, queue: ArrayLike, temperature: float = 0.2
) -> Floats:
    """Tell every query's own key from those of the queue (MoCo, 2020, eq. 1).

    With ``s(a, b) = cos(a, b) / temperature``::

        l_b = log( e^{s(q_b, k_b)} + sum_m e^{s(q_b, u_m)} ) - s(q_b, k_b)

    Args:
        queries: Shape (B, D).
        keys: Shape (B, D); row b is the positive of query b and of no other.
        queue: Shape (K, D), the negatives of every query.
        temperature: Divides the cosine similarities.

    Returns:
        The losses, shape (B,).
    """
    q = np.asarray(queries, dtype=np.float64)
    k = np.asarray(keys, dtype=np.float64)
    u = np.asarray(queue, dtype=np.float64)
    losses = np.zeros(q.shape[0])
    for b in range(q.shape[0]):
        positive = cosine(q[b], k[b]) / temperature
        logits = [positive]
        for m in range(u.shape[0]):
            logits.append(cosine(q[b], u[m]) / temperature)
        losses[b] = log_sum_exp(logits) - positive
    return losses
