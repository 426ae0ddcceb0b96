"""Float64 NumPy reference of SimCLR's NT-Xent.

Written from Chen et al., A Simple Framework for Contrastive Learning of Visual Representations,
2020, equation 1, with explicit loops. Shapes: ``B`` images, ``D`` embedding dimensions.
"""

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.vectors_numpy import Floats, log_sum_exp, normalize


def nt_xent(z1: ArrayLike, z2: ArrayLike, temperature: float = 0.2) -> Floats:
    """Return SimCLR's NT-Xent loss of each of the 2B embeddings of two views.

    With ``z = [z1; z2]`` of shape (2B, D), ``p(k) = (k + B) mod 2B`` the partner of row ``k`` and
    ``n(z) = z * max(sum_d z_d^2, 1e-12) ** -0.5``::

        s_km = <n(z_k), n(z_m)> / temperature
        l_k  = log sum_{m != k} exp(s_km) - s_{k p(k)}

    Args:
        z1: Raw embeddings of view 1, shape (B, D).
        z2: Raw embeddings of view 2, shape (B, D); row b belongs to row b of ``z1``.
        temperature: Divides the cosine similarities.

    Returns:
        The losses, those of view 1 first, shape (2B,).
    """
    raw = np.concatenate([np.asarray(z1, dtype=np.float64), np.asarray(z2, dtype=np.float64)])
    total = raw.shape[0]
    batch = total // 2
    rows = [normalize(raw[k]) for k in range(total)]

    losses: list[float] = []
    for k in range(total):
        partner = (k + batch) % total
        logits: list[float] = []
        for m in range(total):
            if m != k:
                logits.append(float(np.sum(rows[k] * rows[m])) / temperature)
        losses.append(log_sum_exp(logits) - float(np.sum(rows[k] * rows[partner])) / temperature)
    return np.array(losses)
