"""Segmenting an image: Felzenszwalb's graph segments and SLIC superpixels.

Both use OpenCV. Owns the special cases (tiny images, no smoothing) and the guarantee that ids have
no gaps. Does not own the measurements on segments (``mask_generation.image.superpixels``) nor the
settings.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

_SLIC_ITERATIONS = 6
# Superpixels smaller than this percentage of the mean size are merged with a neighbor.
_SMALLEST_PER_CENT = 25
# OpenCV's SLIC requires at least this many pixels on a side of the image, and of a superpixel.
_SMALLEST_SIDE = 4
_SMALLEST_SUPERPIXEL = 2
# A Gaussian this narrow does not change any pixel; OpenCV does not accept a sigma of 0.
_NO_SMOOTHING = 0.01


def graph_segments(
    image: NDArray[np.uint8], scale: float, sigma: float, min_size: int
) -> NDArray[np.intp]:
    """Felzenszwalb's segments (Felzenszwalb and Huttenlocher, IJCV 2004).

    Args:
        image: ``(h, w, 3)`` uint8, in any color space.
        scale: How different two segments must be to stay separate, > 0; larger values give larger
            segments.
        sigma: Standard deviation of the Gaussian that first smooths the image, in pixels; 0 for
            none.
        min_size: Segments with fewer pixels are merged with a neighbor.

    Returns:
        ``(h, w)`` ids, 0 to n - 1, each used.

    Example:
        >>> image = np.zeros((20, 40, 3), np.uint8)
        >>> image[:, 20:] = 250
        >>> graph_segments(image, 100, 0.5, 50)[0, [0, 39]].tolist()
        [0, 1]
    """
    cutter = cv2.ximgproc.segmentation.createGraphSegmentation(
        max(sigma, _NO_SMOOTHING), float(scale), max(1, min_size)
    )
    return cutter.processImage(np.ascontiguousarray(image)).astype(np.intp)


def slic_superpixels(
    rgb: NDArray[np.uint8], count: int, compactness: float
) -> NDArray[np.intp] | None:
    """SLIC superpixels (Achanta et al., PAMI 2012).

    Args:
        rgb: ``(h, w, 3)`` uint8.
        count: Approximate number, ≥ 1. A narrow image gets more, because no superpixel is wider
            than the image.
        compactness: Weight of position relative to color, in 8-bit Lab units.

    Returns:
        ``(h, w)`` ids, 0 to n - 1, each used; None for an image that is too small to segment.

    Example:
        >>> slic_superpixels(np.zeros((60, 60, 3), np.uint8), 4, 20.0)[0, [0, 59]].tolist()
        [0, 1]
    """
    height, width = rgb.shape[:2]
    if min(height, width) < _SMALLEST_SIDE:
        return None
    size = max(_SMALLEST_SUPERPIXEL, round(float(np.sqrt(height * width / count))))
    size = min(size, height, width)  # for larger sizes OpenCV writes out of bounds
    lab = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB)
    smooth = cv2.GaussianBlur(lab, (3, 3), 0)
    cutter = cv2.ximgproc.createSuperpixelSLIC(smooth, cv2.ximgproc.SLIC, size, compactness)
    cutter.iterate(_SLIC_ITERATIONS)
    cutter.enforceLabelConnectivity(_SMALLEST_PER_CENT)
    labels = cutter.getLabels().astype(np.intp)
    used = np.bincount(labels.ravel()) > 0
    return (np.cumsum(used) - 1)[labels]
