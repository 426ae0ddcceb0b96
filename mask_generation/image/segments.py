"""Cutting an image into segments: Felzenszwalb's graph segments and SLIC superpixels.

Both are OpenCV's. Owns their limits (tiny images, no smoothing) and that ids have no gaps. Does not
own what is measured on the segments (``mask_generation.image.superpixels``) nor the settings.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

_SLIC_ITERATIONS = 6
# Pieces smaller than this share of the mean size, in percent, are joined to a neighbor.
_SMALLEST_PER_CENT = 25
# OpenCV's SLIC needs at least this many pixels on a side, of the image and of a superpixel.
_SMALLEST_SIDE = 4
_SMALLEST_SUPERPIXEL = 2
# A Gaussian this narrow leaves every pixel as it is; OpenCV takes no spread of 0.
_NO_SMOOTHING = 0.01


def graph_segments(
    image: NDArray[np.uint8], scale: float, sigma: float, min_size: int
) -> NDArray[np.intp]:
    """Felzenszwalb's segments (Felzenszwalb and Huttenlocher, IJCV 2004).

    Args:
        image: ``(h, w, 3)`` uint8, of any color space.
        scale: How different two segments must be to stay apart, > 0; larger gives larger segments.
        sigma: Spread of the Gaussian that smooths the image first, in pixels; 0 for none.
        min_size: Smaller segments join a neighbor, in pixels.

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
        count: About how many, ≥ 1. A narrow image has more, since none is wider than the image.
        compactness: Weight of position against color, in 8-bit Lab units.

    Returns:
        ``(h, w)`` ids, 0 to n - 1, each used; None for an image that is too small to be cut.

    Example:
        >>> slic_superpixels(np.zeros((60, 60, 3), np.uint8), 4, 20.0)[0, [0, 59]].tolist()
        [0, 1]
    """
    height, width = rgb.shape[:2]
    if min(height, width) < _SMALLEST_SIDE:
        return None
    size = max(_SMALLEST_SUPERPIXEL, round(float(np.sqrt(height * width / count))))
    size = min(size, height, width)  # OpenCV writes beyond its arrays for larger ones
    lab = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB)
    smooth = cv2.GaussianBlur(lab, (3, 3), 0)
    cutter = cv2.ximgproc.createSuperpixelSLIC(smooth, cv2.ximgproc.SLIC, size, compactness)
    cutter.iterate(_SLIC_ITERATIONS)
    cutter.enforceLabelConnectivity(_SMALLEST_PER_CENT)
    labels = cutter.getLabels().astype(np.intp)
    used = np.bincount(labels.ravel()) > 0
    return (np.cumsum(used) - 1)[labels]
