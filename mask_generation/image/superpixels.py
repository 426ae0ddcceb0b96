"""Superpixels of one image, and their properties that region-based saliency methods need.

Owns: their number, their means, and which of them touch. Does not own: the segmentation
(``mask_generation.image.segments``) nor what makes a superpixel salient
(``mask_generation.methods``).
"""

import dataclasses
import functools
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from mask_generation.image.region_means import region_means
from mask_generation.image.segments import slic_superpixels
from mask_generation.result import check_rgb

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]

SEGMENTS = 200
"""Number of superpixels an image is divided into."""
# Small images get fewer superpixels, so that each has enough pixels for a mean color.
_PIXELS_PER_SEGMENT = 9
# Weight of position relative to color, in 8-bit Lab units.
_COMPACTNESS = 20.0


@dataclasses.dataclass(frozen=True, eq=False)
class Superpixels:
    """The n superpixels of one image.

    Attributes:
        labels: int array ``(h, w)``, values 0 to n - 1, each used.
        color: ``(n, 3)`` mean Lab color, L 0 to 100.
        center: ``(n, 2)`` mean row and column, each divided by the image's height and width.
        area: ``(n,)`` number of pixels.
        touching: ``(n, n)`` symmetric, True where two superpixels share a pixel edge.
        edges: The superpixels on each of the four sides of the image (top, bottom, left, right).
    """

    labels: NDArray[np.intp]
    color: _Floats
    center: _Floats
    area: _Floats
    touching: _Bools
    edges: tuple[NDArray[np.intp], ...]

    @functools.cached_property
    def on_border(self) -> _Bools:
        """``(n,)``, True where a superpixel has a pixel on the image border."""
        border = np.zeros(len(self.area), dtype=bool)
        border[np.concatenate(self.edges)] = True
        return border

    @functools.cached_property
    def color_distance(self) -> _Floats:
        """``(n, n)`` Euclidean distances between the mean Lab colors."""
        return cdist(self.color, self.color)

    def means(self, values: NDArray[np.floating]) -> _Floats:
        """Mean over each superpixel of an ``(h, w)`` or ``(h, w, c)`` array: ``(n,)``, ``(n, c)``.

        Example:
            >>> two = np.array([[0, 0, 1]])
            >>> measure(two, np.zeros((1, 3, 3))).means(np.array([[1.0, 3.0, 5.0]])).tolist()
            [2.0, 5.0]
        """
        return region_means(self.labels, values, self.area)


def superpixels(rgb: NDArray[np.uint8], segments: int = SEGMENTS) -> Superpixels:
    """Divides an image into superpixels of about equal size.

    Args:
        rgb: ``(h, w, 3)`` uint8, h, w >= 1.
        segments: Number of superpixels to aim for; small images get fewer, nine pixels each.
            Default: 200.

    Returns:
        The superpixels; deterministic.

    Example:
        >>> parts = superpixels(np.zeros((60, 80, 3), np.uint8), segments=12)
        >>> parts.labels.shape, 8 <= len(parts.area) <= 16
        ((60, 80), True)
    """
    lab = lab_of(rgb)
    height, width = rgb.shape[:2]
    wanted = min(segments, height * width // _PIXELS_PER_SEGMENT)
    labels = slic_superpixels(rgb, wanted, _COMPACTNESS) if wanted >= 2 else None
    if labels is None:  # too small: every pixel by itself
        labels = np.arange(height * width).reshape(height, width)
    return measure(labels, lab)


def lab_of(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """An image in CIE Lab, float32, L 0 to 100.

    Example:
        >>> lab_of(np.full((1, 1, 3), 255, np.uint8)).round().tolist()
        [[[100.0, 0.0, 0.0]]]
    """
    scaled = np.ascontiguousarray(rgb, dtype=np.float32) / np.float32(255)
    return cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB).astype(np.float32, copy=False)


def measure(labels: NDArray[np.intp], lab: NDArray[np.floating]) -> Superpixels:
    """Measures the superpixels of a label map.

    Args:
        labels: ``(h, w)`` int, 0 to n - 1, each used.
        lab: ``(h, w, 3)`` Lab colors.

    Returns:
        The superpixels.

    Example:
        >>> parts = measure(np.array([[0, 1], [0, 1]]), np.zeros((2, 2, 3)))
        >>> parts.touching.tolist(), parts.center.tolist()
        ([[False, True], [True, False]], [[0.25, 0.0], [0.25, 0.5]])
    """
    height, width = labels.shape
    area = np.bincount(labels.ravel()).astype(np.float64)
    rows, columns = np.mgrid[:height, :width]
    place = np.stack([rows / height, columns / width], axis=-1)
    return Superpixels(
        labels=labels,
        color=region_means(labels, lab, area),
        center=region_means(labels, place, area),
        area=area,
        touching=_touching(labels, len(area)),
        edges=tuple(
            np.unique(side) for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1])
        ),
    )


def on_superpixels(
    method: Callable[[Superpixels], _Floats],
) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """Turns a saliency function of superpixels into one of images.

    Args:
        method: Gives each superpixel a saliency, ``(n,)``, in any range; zeros if nothing stands
            out.

    Returns:
        A function from ``(h, w, 3)`` uint8 to ``(h, w)`` float32, stretched to [0, 1].

    Example:
        >>> brightness = on_superpixels(lambda parts: parts.color[:, 0])
        >>> image = np.zeros((40, 40, 3), np.uint8)
        >>> image[10:30, 10:30] = 255
        >>> float(brightness(image)[20, 20]), float(brightness(image)[0, 0])
        (1.0, 0.0)
    """

    @functools.wraps(method)
    def saliency(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = superpixels(check_rgb(rgb))
        return stretched(method(parts)).astype(np.float32)[parts.labels]

    return saliency


def stretched(values: NDArray[np.floating]) -> _Floats:
    """Values shifted and scaled to the range from 0 to 1; zeros if they are all equal.

    Example:
        >>> stretched(np.array([2.0, 3.0, 4.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    spread = np.ptp(values)
    if spread < 1e-6:  # rounding, not signal
        return np.zeros(values.shape)
    return (np.asarray(values, np.float64) - values.min()) / spread


def gaussian(distance: _Floats, sigma: float) -> _Floats:
    """exp(-d² / (2 σ²)); 0 for an infinite distance.

    Example:
        >>> gaussian(np.array([0.0, np.inf]), 1.0).tolist()
        [1.0, 0.0]
    """
    return np.exp(-(distance**2) / (2.0 * sigma**2))


def _touching(labels: NDArray[np.intp], count: int) -> _Bools:
    """Which superpixels share a pixel edge, as a symmetric matrix with an empty diagonal."""
    touching = np.zeros((count, count), dtype=bool)
    touching[labels[:, :-1], labels[:, 1:]] = True
    touching[labels[:-1], labels[1:]] = True
    touching |= touching.T
    np.fill_diagonal(touching, False)
    return touching
