"""Minimum barrier distance: saliency from the barrier between a pixel and the border.

After Zhang, Sclaroff, Lin, Shen, Price and Mech, "Minimum Barrier Salient Object Detection at 80
FPS", ICCV 2015 ("MB+"). The barrier of a path is the difference between its brightest and darkest
values; the saliency of a pixel is the smallest barrier of any path to the border, computed by a few
raster scans, plus its color difference from the four sides of the image.

The paper's final steps (morphological smoothing, center prior, contrast curve) are omitted: the
fusion has its own.

Owns: the saliency map of an image at the size it is given. Does not own: resizing and thresholding
(``mask_generation.methods.thresholded``).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_generation.compiled import compiled
from mask_generation.image.superpixels import lab_of, stretched
from mask_generation.result import check_rgb

_Floats = NDArray[np.float32]

# The paper's values: three raster scans, and sides of a tenth of the image.
_SCANS = 3
_SIDE = 0.1
# Smallest variance of the colors of a side, in squared Lab units.
_LEAST_VARIANCE = 4.0


def barrier_saliency(rgb: NDArray[np.uint8]) -> _Floats:
    """Saliency of an image: barriers plus contrast to its sides, stretched to [0, 1].

    Args:
        rgb: ``(h, w, 3)`` uint8, h, w >= 1.

    Returns:
        ``(h, w)`` float32 in [0, 1]; zeros if nothing stands out.

    Example:
        >>> image = np.zeros((60, 80, 3), dtype=np.uint8)
        >>> image[20:40, 30:50] = (200, 40, 40)
        >>> saliency = barrier_saliency(image)
        >>> float(saliency[30, 40]), float(saliency[5, 5])
        (1.0, 0.0)
    """
    lab = lab_of(check_rgb(rgb))
    smooth: NDArray = cv2.GaussianBlur(lab, (3, 3), 0)
    channels = [np.ascontiguousarray(smooth[..., channel]) for channel in range(3)]
    barriers = np.sum([barrier_distance(channel) for channel in channels], axis=0)
    return stretched(stretched(barriers) + stretched(_contrast_to_sides(lab))).astype(np.float32)


@compiled()
def barrier_distance(image: _Floats) -> _Floats:  # pragma: no cover - compiled
    """Approximate minimum barrier distance of every pixel to the border, for one channel.

    Each scan updates a pixel's barrier with paths through the two neighbors already visited, as in
    the paper's algorithm 1.

    Args:
        image: ``(h, w)`` float32.

    Returns:
        ``(h, w)`` float32, 0 on the border.
    """
    height, width = image.shape
    distance = np.full((height, width), np.float32(np.inf))
    highest, lowest = image.copy(), image.copy()
    distance[0], distance[height - 1] = 0, 0
    distance[:, 0], distance[:, width - 1] = 0, 0
    for scan in range(_SCANS):
        step = 1 if scan % 2 == 0 else -1
        rows = range(1, height - 1) if step == 1 else range(height - 2, 0, -1)
        for row in rows:
            for offset in range(1, width - 1):
                column = offset if step == 1 else width - 1 - offset
                value = image[row, column]
                for other_row, other_column in ((row - step, column), (row, column - step)):
                    high = max(highest[other_row, other_column], value)
                    low = min(lowest[other_row, other_column], value)
                    if high - low < distance[row, column]:
                        distance[row, column] = high - low
                        highest[row, column] = high
                        lowest[row, column] = low
    return distance


def _contrast_to_sides(lab: _Floats) -> _Floats:
    """Mahalanobis distances to the colors of the four sides, without the largest one.

    The largest is omitted because an object may cover one side.
    """
    height, width = lab.shape[:2]
    thick = max(1, round(_SIDE * min(height, width)))
    sides = (lab[:thick], lab[-thick:], lab[:, :thick], lab[:, -thick:])
    maps = np.stack([_unlikeness(lab, side.reshape(-1, 3)) for side in sides])
    return maps.sum(axis=0) - maps.max(axis=0)


def _unlikeness(lab: _Floats, colors: _Floats) -> _Floats:
    """Distances of all pixels to a set of colors, divided by the largest."""
    mean = colors.mean(axis=0)
    spread = colors - mean
    covariance = spread.T.astype(np.float64) @ spread / len(colors)
    inverse = np.linalg.inv(covariance + _LEAST_VARIANCE * np.eye(3))
    whitening = np.linalg.cholesky(inverse).astype(np.float32)
    distance = np.sqrt((((lab - mean) @ whitening) ** 2).sum(axis=-1))
    return distance / max(float(distance.max()), 1e-6)
