"""NumPy reference of the regions of a feature map's cells, by counting pixels.

Shapes: ``B`` images; a grid (h, w), which divides the masks, has the cell (r, c) at index
``r * w + c``.
"""

import numpy as np

from tests.reference.vectors_numpy import Bools, Floats, Ints


def region_shares(masks: Ints, grid: tuple[int, int], regions: int) -> Floats:
    """Return each region's share of each cell's pixels.

    Args:
        masks: Shape (B, H, W), region numbers below ``regions``.
        grid: The pair (h, w); h divides H and w divides W.
        regions: Number of regions.

    Returns:
        Shape (B, h * w, regions).
    """
    height, width = masks.shape[1] // grid[0], masks.shape[2] // grid[1]
    blocks = masks.reshape(len(masks), grid[0], height, grid[1], width)
    shares = [
        (blocks == region).mean(axis=(2, 4)).reshape(len(masks), -1) for region in range(regions)
    ]
    return np.stack(shares, axis=-1)


def region_labels(
    masks: Ints, grid: tuple[int, int], regions: int = 2, margin: float = 0.0
) -> tuple[Ints, Bools]:
    """Return the largest region of every cell, of equal ones the last, and whether it stands out.

    With ``a >= b`` the two largest shares of a cell, it stands out if ``(a - b) / 2 >= margin``.

    Args:
        masks: Shape (B, H, W), region numbers below ``regions``.
        grid: The pair (h, w); h divides H and w divides W.
        regions: Number of regions.
        margin: Within [0, 0.5].

    Returns:
        The labels and the flags, each of shape (B, h * w).
    """
    shares = region_shares(masks, grid, regions)
    ordered = np.sort(shares, axis=-1)
    labels = regions - 1 - shares[..., ::-1].argmax(axis=-1)
    return labels, (ordered[..., -1] - ordered[..., -2]) / 2 >= margin - 1e-9
