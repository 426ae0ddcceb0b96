"""Float64 NumPy reference of PixPro's distance between the cells of two crops.

Written from Xie et al., Propagate Yourself, 2021, section 3.1, with explicit loops. Shapes: ``B``
images; a grid (h, w) has the cell (r, c) at index ``r * w + c``.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.vectors_numpy import Floats


def cell_centers(
    window: ArrayLike, grid: tuple[int, int]
) -> tuple[list[tuple[float, float]], float]:
    """Return where the cells of one crop lie in the original image, and a cell's diagonal.

    ``window`` is ``[top, left, height, width, flip, image_height, image_width]`` in pixels. The
    crop reaches from edge to edge, ``left / image_width`` to ``(left + width) / image_width``, in
    units of the image's own width (the released code measures between the centres of the first
    and the last pixel, ``left / (image_width - 1)`` to ``(left + width - 1) / (image_width - 1)``,
    which differs by less than a pixel). A flipped crop runs from its right edge to its left.

    Args:
        window: Shape (7,).
        grid: The pair (h, w).

    Returns:
        The centres ``(y, x)`` in [0, 1], one per cell, and the diagonal of one cell.
    """
    top, left, height, width, flip, image_height, image_width = (
        float(number) for number in np.asarray(window)
    )
    rows, columns = grid
    y0, y1 = top / image_height, (top + height) / image_height
    x0, x1 = left / image_width, (left + width) / image_width
    if flip:
        x0, x1 = x1, x0
    bin_height = (y1 - y0) / rows
    bin_width = (x1 - x0) / columns
    centers: list[tuple[float, float]] = []
    for r in range(rows):
        for c in range(columns):
            centers.append((y0 + (r + 0.5) * bin_height, x0 + (c + 0.5) * bin_width))
    return centers, math.sqrt(bin_height**2 + bin_width**2)


def cell_distance(
    window1: ArrayLike, window2: ArrayLike, grid1: tuple[int, int], grid2: tuple[int, int]
) -> Floats:
    """Return the distances of the cells' centres over the larger cell's diagonal.

    Args:
        window1: Shape (B, 7), see `cell_centers`.
        window2: Shape (B, 7), likewise.
        grid1: Rows and columns of view 1.
        grid2: Rows and columns of view 2.

    Returns:
        Shape (B, h1 * w1, h2 * w2).
    """
    windows1, windows2 = np.asarray(window1), np.asarray(window2)
    batch = windows1.shape[0]
    distances = np.zeros((batch, grid1[0] * grid1[1], grid2[0] * grid2[1]))
    for b in range(batch):
        centers1, diagonal1 = cell_centers(windows1[b], grid1)
        centers2, diagonal2 = cell_centers(windows2[b], grid2)
        for i, (y1, x1) in enumerate(centers1):
            for j, (y2, x2) in enumerate(centers2):
                apart = math.sqrt((y1 - y2) ** 2 + (x1 - x2) ** 2)
                distances[b, i, j] = apart / max(diagonal1, diagonal2)
    return distances
