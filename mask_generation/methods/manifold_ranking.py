"""Manifold ranking: saliency from dissimilarity to the image border.

After Yang, Zhang, Lu, Ruan and Yang, "Saliency Detection via Graph-Based Manifold Ranking", CVPR
2013; equation numbers in this file are that paper's. Superpixels are ranked by their color
similarity to each side of the image in turn; those that rank low for all four sides are a first
estimate of the foreground, and a ranking by similarity to that estimate gives the map.

Owns: the saliency of superpixels. Does not own: the superpixels
(``mask_generation.image.superpixels``), resizing and thresholding
(``mask_generation.methods.thresholded``).
"""

import numpy as np
from numpy.typing import NDArray

from mask_generation.image.superpixels import Superpixels, on_superpixels, stretched

_Floats = NDArray[np.float64]

# The authors' constants: decay of the edge weights with color distance (which is divided by its
# largest value), and share of the ranking that comes from neighbors.
_FALL = 10.0
_SHARE = 0.99


def manifold_ranking(parts: Superpixels) -> _Floats:
    """Saliency of superpixels by two stages of manifold ranking.

    Args:
        parts: The n superpixels of an image.

    Returns:
        ``(n,)`` float64 in [0, 1]; zeros if all superpixels are alike.

    Example:
        >>> from mask_generation.image.superpixels import superpixels
        >>> image = np.zeros((60, 80, 3), dtype=np.uint8)
        >>> image[20:40, 30:50] = (200, 40, 40)
        >>> parts = superpixels(image)
        >>> saliency = manifold_ranking(parts)[parts.labels]
        >>> bool(saliency[30, 40] > 0.9), bool(saliency[5, 5] < 0.1)
        (True, True)
    """
    if np.ptp(parts.color, axis=0).max() < 1e-6:
        return np.zeros(len(parts.area))
    ranking = _ranking_matrix(parts)
    foreground = np.ones(len(parts.area))
    for edge in parts.edges:
        query = np.zeros(len(parts.area))
        query[edge] = 1.0
        foreground *= 1.0 - stretched(ranking @ query)  # equations 5 and 6
    guess = stretched(foreground)
    return stretched(ranking @ (guess >= guess.mean()))  # equation 7


manifold_ranking_saliency = on_superpixels(manifold_ranking)
"""Saliency of an image by :func:`manifold_ranking`, stretched to [0, 1]."""


def _ranking_matrix(parts: Superpixels) -> _Floats:
    """Equation 3, (D - aW)^-1, with its diagonal set to zero so that no query ranks itself."""
    linked = _linked(parts)
    distance = parts.color_distance / parts.color_distance[linked].max(initial=1e-9)
    weights = np.where(linked, np.exp(-_FALL * distance), 0.0)  # equation 4
    system = np.diag(weights.sum(axis=1) + 1e-12) - _SHARE * weights
    matrix = np.asarray(np.linalg.inv(system), np.float64)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def _linked(parts: Superpixels) -> NDArray[np.bool_]:
    """Neighbors, neighbors of neighbors, and all border superpixels with each other."""
    near = parts.touching.astype(np.float32)
    linked = parts.touching | (near @ near > 0)
    linked |= np.logical_and.outer(parts.on_border, parts.on_border)
    np.fill_diagonal(linked, False)
    return linked
