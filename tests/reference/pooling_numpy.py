"""Float64 NumPy reference of the averages over regions of a feature map.

Written from the formulas alone, with explicit loops. Shapes: ``B`` images, ``N`` cells, ``R``
regions, ``C`` channels.
"""

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.vectors_numpy import Bools, Floats

WHOLE, FOREGROUND, BACKGROUND = 0, 1, 2


def region_average(cells: ArrayLike, weights: ArrayLike) -> tuple[Floats, Bools]:
    """Average the cells of every region.

    For each image and region, ``F_i`` the cells and ``w_ir >= 0`` how much of cell ``i`` belongs
    to region ``r``::

        W_r = sum_i w_ir
        v_r = sum_i w_ir F_i / W_r   if W_r > 0, else the zero vector

    Args:
        cells: Shape (B, N, C).
        weights: Shape (B, N, R).

    Returns:
        The vectors (B, R, C) and whether the region is present (``W_r > 0``), (B, R).
    """
    features = np.asarray(cells, dtype=np.float64)
    shares = np.asarray(weights, dtype=np.float64)
    batch, count, channels = features.shape
    regions = shares.shape[2]
    vectors = np.zeros((batch, regions, channels))
    present = np.zeros((batch, regions), dtype=np.bool_)
    for b in range(batch):
        for r in range(regions):
            total = 0.0
            summed = np.zeros(channels)
            for i in range(count):
                total += float(shares[b, i, r])
                summed += shares[b, i, r] * features[b, i]
            if total > 0.0:
                vectors[b, r] = summed / total
                present[b, r] = True
    return vectors, present


def harl_regions(cells: ArrayLike, foreground: ArrayLike) -> tuple[Floats, Bools]:
    """Average the whole image, its foreground and its background, in that order.

    With ``a_i`` in [0, 1] the share of foreground in cell ``i`` the weights are 1, ``a_i`` and
    ``1 - a_i`` (HARL: the mask multiplies the feature map, its complement gives the background;
    divided here by the weight of the region, so that the area does not scale the vector).

    Args:
        cells: Shape (B, N, C).
        foreground: Shape (B, N).

    Returns:
        The vectors (B, 3, C) and whether the region is present, (B, 3).
    """
    area = np.asarray(foreground, dtype=np.float64)
    weights = np.zeros((*area.shape, 3))
    for b in range(area.shape[0]):
        for i in range(area.shape[1]):
            weights[b, i, WHOLE] = 1.0
            weights[b, i, FOREGROUND] = area[b, i]
            weights[b, i, BACKGROUND] = 1.0 - area[b, i]
    return region_average(cells, weights)
