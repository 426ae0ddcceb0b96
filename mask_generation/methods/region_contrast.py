"""Region contrast with boundary connectivity: rare colors away from the image border.

After Cheng, Mitra, Huang, Torr and Hu, "Global Contrast Based Salient Region Detection", PAMI 2015,
equation 7 — the saliency of a region is its color distance to all others, weighted by their size
and proximity — on superpixels instead of the paper's graph segments, multiplied by a foreground
probability from the boundary connectivity of Zhu et al., CVPR 2014.

Owns: the saliency of superpixels. Does not own: the superpixels
(``mask_generation.image.superpixels``), resizing and thresholding
(``mask_generation.methods.thresholded``).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from mask_generation.image.superpixels import Superpixels, on_superpixels
from mask_generation.methods.robust_background import background_probability

# The paper's spread of proximity: exp(-d / .4), with positions divided by the image's sides.
_SPREAD = 0.4


def region_contrast(parts: Superpixels) -> NDArray[np.float64]:
    """Saliency of superpixels by contrast and boundary connectivity.

    Args:
        parts: The n superpixels of an image.

    Returns:
        ``(n,)`` float64 in Lab units, >= 0.

    Example:
        >>> from mask_generation.image.superpixels import superpixels
        >>> image = np.zeros((60, 80, 3), dtype=np.uint8)
        >>> image[20:40, 30:50] = (200, 40, 40)
        >>> parts = superpixels(image)
        >>> saliency = region_contrast(parts)[parts.labels]
        >>> bool(saliency[30, 40] > 2 * saliency[5, 5])
        True
    """
    nearness = np.exp(-cdist(parts.center, parts.center) / _SPREAD)
    share = parts.area / parts.area.sum()
    contrast = (parts.color_distance * nearness) @ share
    return contrast * (1.0 - background_probability(parts))


region_contrast_saliency = on_superpixels(region_contrast)
"""Saliency of an image by :func:`region_contrast`, stretched to [0, 1]."""
