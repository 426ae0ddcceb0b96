"""Float64 NumPy reference of PixPro's propagation of cells and of its consistency loss.

Written from Xie et al., Propagate Yourself, 2021, section 3.2, with explicit loops. Shapes: ``B``
images, ``N`` and ``M`` cells, ``D`` and ``E`` dimensions.
"""

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.vectors_numpy import Bools, Floats, cosine, normalize


def pixel_propagation(
    cells: ArrayLike,
    transformed: ArrayLike,
    sharpness: float = 2.0,
    normalize_transformed: bool = False,
) -> Floats:
    """Smooth every cell by the cells that look like it.

    ``y_i = sum_j max(cos(x_i, x_j), 0)^sharpness g_j``, the sum over all cells of the image, ``i``
    itself included (eq. 3 and 4).

    Args:
        cells: ``x``, shape (B, N, D).
        transformed: ``g``, shape (B, N, E).
        sharpness: The exponent, positive.
        normalize_transformed: Whether ``g_j`` is brought to unit length first. The paper does
            not say so; the released code (github.com/zdaxie/PixPro, commit 6689c38,
            ``contrast/models/PixPro.py``, ``featprop``) does.

    Returns:
        ``y``, shape (B, N, E), not normalised.
    """
    x = np.asarray(cells, dtype=np.float64)
    g = np.asarray(transformed, dtype=np.float64)
    batch, count, _ = x.shape
    propagated = np.zeros(g.shape)
    for b in range(batch):
        for i in range(count):
            for j in range(count):
                similarity = max(cosine(x[b, i], x[b, j]), 0.0) ** sharpness
                value = normalize(g[b, j]) if normalize_transformed else g[b, j]
                propagated[b, i] += similarity * value
    return propagated


def pixel_consistency(
    propagated: ArrayLike, targets: ArrayLike, near: ArrayLike
) -> tuple[Floats, Bools]:
    """Average ``2 - 2 cos(y_i, x'_j)`` over the near pairs of each image (its consistency loss).

    One direction; PixPro's loss is the sum of both, each less 2, so 4 less in all.

    Args:
        propagated: ``y``, shape (B, N, D).
        targets: ``x'``, shape (B, M, D).
        near: Shape (B, N, M).

    Returns:
        The loss of each image, shape (B,), 0 without a near pair, and whether the image has one.
    """
    y = np.asarray(propagated, dtype=np.float64)
    t = np.asarray(targets, dtype=np.float64)
    gate = np.asarray(near, dtype=np.bool_)
    batch = y.shape[0]
    losses = np.zeros(batch)
    counted = np.zeros(batch, dtype=np.bool_)
    for b in range(batch):
        distances: list[float] = []
        for i in range(y.shape[1]):
            for j in range(t.shape[1]):
                if gate[b, i, j]:
                    distances.append(2.0 - 2.0 * cosine(y[b, i], t[b, j]))
        if distances:
            losses[b] = sum(distances) / len(distances)
            counted[b] = True
    return losses, counted
