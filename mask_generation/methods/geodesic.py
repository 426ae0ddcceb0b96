"""Geodesic saliency: the color length of the path from a superpixel to the image border.

After Wei, Wen, Zhu and Sun, "Geodesic Saliency Using Background Priors", ECCV 2012. Steps between
neighbors of nearly the same color cost nothing, so that a large background with slowly changing
color stays close to the border; the threshold is the mean over superpixels of the smallest step, as
the paper suggests.

Owns: the saliency of superpixels. Does not own: the superpixels
(``mask_generation.image.superpixels``), resizing and thresholding
(``mask_generation.methods.thresholded``).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from mask_generation.image.superpixels import Superpixels, on_superpixels

# A sparse graph has no edges of length zero.
_NOTHING = 1e-6


def geodesic(parts: Superpixels) -> NDArray[np.float64]:
    """Color length of each superpixel's shortest path to the image border.

    Args:
        parts: The n superpixels of an image.

    Returns:
        ``(n,)`` float64 in Lab units, 0 on the border.

    Example:
        >>> from mask_generation.image.superpixels import measure
        >>> gray = np.array([[0, 1, 2]] * 3)
        >>> lab = np.zeros((3, 3, 3))
        >>> lab[:, 1, 0] = 50  # the middle piece is lighter, and on the border as all are
        >>> geodesic(measure(gray, lab)).tolist()
        [0.0, 0.0, 0.0]
    """
    steps = np.where(parts.touching, parts.color_distance, np.inf)
    smallest = steps.min(axis=1, initial=np.inf)
    limit = smallest[np.isfinite(smallest)].mean() if np.isfinite(smallest).any() else 0.0
    rows, columns = np.nonzero(parts.touching)
    lengths = parts.color_distance[rows, columns]
    lengths = np.where(lengths <= limit, 0.0, lengths) + _NOTHING
    graph = csr_array((lengths, (rows, columns)), shape=parts.touching.shape)
    border = np.flatnonzero(parts.on_border)
    distance = dijkstra(graph, indices=border, min_only=True)
    return np.where(distance < 1.0 / _NOTHING, distance, 0.0) * (
        distance > len(distance) * _NOTHING
    )


geodesic_saliency = on_superpixels(geodesic)
"""Saliency of an image by :func:`geodesic`, stretched to [0, 1]."""
