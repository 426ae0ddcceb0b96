"""What is measured at every pixel of an image before its regions are described, and the regions.

Owns colors, textures, the words of the histograms, and the cut at several levels. Does not own
what is made of them (``mask_generation.drfi.features``).

The paper's colors are kept (RGB, Lab, hue and saturation). Its fifteen filters of Leung and Malik
are replaced by ten derivatives of Gaussians, and its levels, which merge one segmentation step by
step with a learnt likelihood, by segmentations of Felzenszwalb and Huttenlocher at several scales.
"""

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.feature import local_binary_pattern

from mask_generation.image.segments import graph_segments

_Floats = NDArray[np.float32]

_LAB_BINS = 4
_HUE_BINS = _SATURATION_BINS = 8
_LBP_BINS = 10
_TEXTURE_SCALES = (1.0, 2.0, 4.0)
_ORIENTATIONS = 4
TEXTURES = 2 * len(_TEXTURE_SCALES) + _ORIENTATIONS
COLORS = 9
WORD_BINS = (_LAB_BINS**3, _HUE_BINS, _SATURATION_BINS, _LBP_BINS, TEXTURES)
"""Number of bins of each histogram: Lab, hue, saturation, local binary pattern, texture."""

# Spread of the smoothing before the segmentation, in pixels; the paper's program has .8.
_SEGMENT_SIGMA = 0.8
# Smallest segment as a share of the image, and at least some pixels for its histograms.
_SEGMENT_SHARE = 0.001
_SEGMENT_PIXELS = 16


@dataclasses.dataclass(frozen=True, eq=False)
class Pixels:
    """The measurements of one image.

    Attributes:
        values: (h, w, COLORS + TEXTURES) float32: RGB, Lab, hue, saturation and value in [0, 1],
            then the sizes of the filter responses.
        words: (h, w, 5), the bin of each pixel in each histogram of ``WORD_BINS``.
    """

    values: _Floats
    words: NDArray[np.uint8]


def measure(rgb: NDArray[np.uint8]) -> Pixels:
    """Measures colors, textures and words of an image.

    Args:
        rgb: ``(h, w, 3)`` uint8.

    Returns:
        The measurements.

    Example:
        >>> measured = measure(np.zeros((6, 8, 3), np.uint8))
        >>> measured.values.shape, measured.words.shape
        ((6, 8, 19), (6, 8, 5))
    """
    unit = np.ascontiguousarray(rgb).astype(np.float32) / 255
    lab = cv2.cvtColor(unit, cv2.COLOR_RGB2LAB) / (100, 255, 255) + (0, 0.5, 0.5)
    hsv = cv2.cvtColor(unit, cv2.COLOR_RGB2HSV) / (360, 1, 1)
    textures = _textures(np.ascontiguousarray(lab[..., 0], dtype=np.float32))
    values = np.concatenate([unit, lab, hsv, textures], axis=-1).astype(np.float32)
    joint = _binned(lab, _LAB_BINS) @ (_LAB_BINS**2, _LAB_BINS, 1)
    hue, saturation = _binned(hsv[..., :2], _HUE_BINS).transpose(2, 0, 1)
    gray = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    pattern = local_binary_pattern(gray, 8, 1, method="uniform")
    words = np.stack([joint, hue, saturation, pattern, textures.argmax(axis=-1)], axis=-1)
    return Pixels(values, words.astype(np.uint8))


def segment(rgb: NDArray[np.uint8], scales: tuple[float, ...]) -> list[NDArray[np.intp]]:
    """Cuts an image at several levels, from fine to coarse.

    Args:
        rgb: ``(h, w, 3)`` uint8.
        scales: Of Felzenszwalb's segmentation, for Lab colors of 0 to 255.

    Returns:
        Per scale ``(h, w)`` ids, 0 to n - 1, each used.

    Example:
        >>> image = np.zeros((40, 40, 3), np.uint8)
        >>> image[:, 20:] = 255
        >>> [ids.shape for ids in segment(image, (100, 400))]
        [(40, 40), (40, 40)]
    """
    lab = np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB), np.uint8)
    smallest = max(_SEGMENT_PIXELS, round(_SEGMENT_SHARE * lab.shape[0] * lab.shape[1]))
    return [graph_segments(lab, scale, _SEGMENT_SIGMA, smallest) for scale in scales]


def _textures(lightness: _Floats) -> _Floats:
    """Sizes of gradient and Laplacian at each scale, and of the slopes along four directions.

    Each is multiplied by its scale (the Laplacian by its square), so that edges of the same
    contrast give the same response at every scale.
    """
    maps = []
    for sigma in _TEXTURE_SCALES:
        blurred = cv2.GaussianBlur(lightness, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        smooth = np.asarray(blurred, np.float32)
        across, down = _slopes(smooth)
        maps.append(sigma * np.hypot(across, down))
        maps.append(sigma**2 * np.abs(cv2.Laplacian(smooth, cv2.CV_32F)))
        if sigma == _TEXTURE_SCALES[1]:
            angles = np.arange(_ORIENTATIONS) * np.pi / _ORIENTATIONS
            turned = [np.cos(angle) * across + np.sin(angle) * down for angle in angles]
            oriented = [sigma * np.abs(slope) for slope in turned]
    return np.stack([*maps, *oriented], axis=-1)


def _slopes(smooth: _Floats) -> tuple[_Floats, _Floats]:
    """Central differences per pixel, across and down; zero where there is one pixel."""
    kernel = np.array([[-0.5, 0.0, 0.5]], np.float32)
    across = cv2.filter2D(smooth, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    down = cv2.filter2D(smooth, -1, kernel.T, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def _binned(values: NDArray[np.floating], bins: int) -> NDArray[np.intp]:
    return np.clip((values * bins).astype(np.intp), 0, bins - 1)
