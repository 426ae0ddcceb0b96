"""From a saliency map to a mask that follows image edges: GrabCut, seeded by the saliency.

Rother, Kolmogorov and Blake, "GrabCut", SIGGRAPH 2004, in OpenCV's implementation. The color models
are learned in a small copy of the image, where that is cheap, and the cut is made in a larger one,
in which legs and straps are more than a pixel wide.

Owns: seeds, sizes, and the fallback to the plain cut if GrabCut fails. Does not own: the saliency,
nor the judgment of the mask (``mask_generation.foreground``).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_generation.cut.color_models import OPENCV_WEIGHT, of_equal_scale, sharpened
from mask_generation.cut.otsu import otsu_split
from mask_generation.image.resize import enlarge, shrink

_Bools = NDArray[np.bool_]

# Weight of contrast relative to color, per pixel of the image's longer side. The paper's 50
# corresponds to 575 pixels; in thumbnails it makes masks too small.
_SMOOTHNESS = 0.087

# Sure background: saliency below this fraction of Otsu's split. Sure foreground: saliency above
# this fraction of the way from the split to 1.
_SURELY_BACKGROUND = 0.4
_SURELY_FOREGROUND = 0.75
# A result with a lower intersection over union with the plain cut counts as a failure.
_LEAST_AGREEMENT = 0.3
_LEAST_SHARE, _LARGEST_SHARE = 0.01, 0.90
# Parts of the mask with less than this fraction of the most salient part's total saliency are
# specks.
_LEAST_PART = 0.2
# Number of values in OpenCV's color model.
_MODEL = (1, 65)
# Seeds are passed as labels, not as a rectangle.
_NO_BOX = (0, 0, 0, 0)


def grabcut(
    rgb: NDArray[np.uint8], saliency: NDArray[np.float32], learn_size: int, cut_size: int
) -> NDArray[np.uint8]:
    """Segments the foreground of an image along its edges.

    Args:
        rgb: ``(H, W, 3)`` uint8.
        saliency: ``(h, w)`` float32 in [0, 1], with the image's aspect ratio but possibly smaller.
        learn_size: Longer side of the copy in which colors are learned, in pixels.
        cut_size: Longer side of the copy that is cut, in pixels; the cost grows with its square.

    Returns:
        ``(H, W)`` uint8, 1 = foreground; the plain cut by Otsu's rule if GrabCut has nothing to
        learn from, or ends far from it.

    Example:
        >>> image = np.zeros((60, 80, 3), np.uint8)
        >>> image[20:40, 30:50] = (200, 40, 40)
        >>> guess = np.zeros((60, 80), np.float32)
        >>> guess[25:35, 35:45] = 1.0  # the middle of the square
        >>> guess[20:40, 30:50] += np.float32(0.4) * (guess[20:40, 30:50] == 0)
        >>> int(grabcut(image, guess, 80, 80).sum())
        400
    """
    split = otsu_split(saliency)
    large = shrink(rgb, cut_size)
    height, width = large.shape[:2]
    guess = enlarge(saliency, height, width)
    plain = guess >= split
    mask = _cut(shrink(rgb, learn_size), large, saliency, guess, split)
    if mask is None or _is_astray(mask, plain):
        mask = plain
    mask = _without_specks(mask, guess)
    if mask.shape == rgb.shape[:2]:
        return mask.astype(np.uint8)
    return (enlarge(mask.astype(np.float32), *rgb.shape[:2]) >= 0.5).astype(np.uint8)


def _cut(
    small: NDArray[np.uint8],
    large: NDArray[np.uint8],
    saliency: NDArray[np.float32],
    guess: NDArray[np.float32],
    split: float,
) -> _Bools | None:
    """Learns colors in one copy of the image and cuts the other; None if a class has no seeds."""
    seeds, marks = _seeds(enlarge(saliency, *small.shape[:2]), split), _seeds(guess, split)
    foreground, background = np.zeros(_MODEL), np.zeros(_MODEL)
    if not all(_has_both(labels) for labels in (seeds, marks)):
        return None
    cv2.setRNGSeed(0)  # its k-means uses OpenCV's random generator
    small, large = np.ascontiguousarray(small), np.ascontiguousarray(large)
    cv2.grabCut(small, seeds, _NO_BOX, background, foreground, 0, cv2.GC_INIT_WITH_MASK)
    factor = OPENCV_WEIGHT / (_SMOOTHNESS * max(large.shape))
    models = of_equal_scale(sharpened(background, factor), sharpened(foreground, factor))
    cv2.grabCut(large, marks, _NO_BOX, *models, 1, cv2.GC_EVAL_FREEZE_MODEL)
    return _is_foreground(marks)


def _seeds(saliency: NDArray[np.float32], split: float) -> NDArray[np.uint8]:
    """OpenCV's four labels: sure and probable background and foreground."""
    labels = np.where(saliency >= split, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[saliency > split + _SURELY_FOREGROUND * (1 - split)] = cv2.GC_FGD
    labels[saliency < _SURELY_BACKGROUND * split] = cv2.GC_BGD
    return labels


def _has_both(labels: NDArray[np.uint8]) -> bool:
    # OpenCV learns five colors for each side and fails on fewer pixels.
    count = int(np.count_nonzero(_is_foreground(labels)))
    return min(count, labels.size - count) >= 5


def _is_foreground(labels: NDArray[np.uint8]) -> _Bools:
    """The lowest bit of OpenCV's labels is 1 for foreground, sure or probable."""
    return (labels & 1) == 1


def _is_astray(mask: _Bools, plain: _Bools) -> bool:
    agreement = float((mask & plain).sum()) / max(1.0, float((mask | plain).sum()))
    return not _LEAST_SHARE < mask.mean() < _LARGEST_SHARE or agreement < _LEAST_AGREEMENT


def _without_specks(mask: _Bools, saliency: NDArray[np.float32]) -> _Bools:
    """The mask without parts of little total saliency compared with the most salient one."""
    count, parts = cv2.connectedComponents(mask.astype(np.uint8))
    weight = np.bincount(parts.ravel(), saliency.ravel(), minlength=count)
    keep = weight >= _LEAST_PART * weight[1:].max(initial=0.0)
    keep[0] = False
    return keep[parts]
