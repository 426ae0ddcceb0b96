"""How far one mask, or one saliency map, is from the truth.

Owns the metrics of one photograph and their aggregates over many. Does not own where the ground
truth comes from (``mask_generation.evaluation.truth``) nor which photographs are scored
(``mask_generation.evaluation.evaluate``).
"""

from collections.abc import Sequence

import numpy as np
import scipy.stats
from numpy.typing import NDArray
from skimage.measure import label, regionprops

Box = tuple[int, int, int, int]
"""xmin, ymin, xmax, ymax in pixels; the last column and row belong to the box."""

THRESHOLDS = 256
"""Thresholds of a saliency map, 0 to 255 of 255."""

BETA_SQUARED = 0.3
"""β² of F_β; the customary value in salient-object detection (Achanta et al., "Frequency-tuned
salient region detection", CVPR 2009, section 4.2)."""


def intersection_over_union(mask: NDArray, truth: NDArray) -> float:
    """Pixels in both masks over pixels in either.

    Args:
        mask: ``(H, W)``, non-zero = foreground.
        truth: ``(H, W)``, non-zero = foreground.

    Returns:
        In [0, 1]; 1 if both are empty.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> intersection_over_union(np.array([[1, 1, 0]]), np.array([[0, 1, 1]])) == 1 / 3
        True
    """
    found, true = _same_shape(mask, truth)
    either = np.count_nonzero(found | true)
    return float(np.count_nonzero(found & true) / either) if either else 1.0


def mean_absolute_error(saliency: NDArray[np.floating], truth: NDArray) -> float:
    """Mean absolute difference of the saliency from the ground truth, per pixel.

    Args:
        saliency: ``(H, W)`` in [0, 1].
        truth: ``(H, W)``, non-zero = foreground, counted as 1.

    Returns:
        In [0, 1].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> mean_absolute_error(np.array([[0.25, 1.0]]), np.array([[0, 1]]))
        0.125
    """
    _, true = _same_shape(saliency, truth)
    return float(np.abs(saliency.astype(np.float64) - true).mean())


def precision_recall(
    saliency: NDArray[np.floating], truth: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision and recall of a saliency map thresholded at each of 256 levels.

    The map is rounded to 8 bits, as it would be when stored; at level t, pixels of at least t count
    as found. The map is not stretched, so levels mean the same in every photograph.

    Args:
        saliency: ``(H, W)`` in [0, 1].
        truth: ``(H, W)``, non-zero = foreground.

    Returns:
        Precision ``(256,)`` and recall ``(256,)``, float64 in [0, 1]. If nothing is found, the
        precision is 0; if there is nothing to find, the recall is 1.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> precision, recall = precision_recall(np.array([[0.2, 0.8]]), np.array([[0, 1]]))
        >>> precision[[0, 51, 52, 204, 205]].tolist()
        [0.5, 0.5, 1.0, 1.0, 0.0]
        >>> recall[[0, 204, 205]].tolist()
        [1.0, 1.0, 0.0]
    """
    _, true = _same_shape(saliency, truth)
    levels = np.round(np.clip(saliency, 0, 1) * (THRESHOLDS - 1)).astype(np.intp)
    found = _at_least(np.bincount(levels.ravel(), minlength=THRESHOLDS))
    hits = _at_least(np.bincount(levels[true], minlength=THRESHOLDS))
    precision = hits / np.maximum(found, 1)
    recall = hits / hits[0] if hits[0] else np.ones(THRESHOLDS)
    return precision, recall


def max_f_beta(precision: NDArray[np.floating], recall: NDArray[np.floating]) -> float:
    """The best F_β on a precision–recall curve, β² = 0.3.

    ``F = (1 + β²) P R / (β² P + R)``, 0 where both are 0. For a data set, P and R are the means
    over its photographs at each level, so that all photographs share one threshold.

    Args:
        precision: ``(levels,)`` in [0, 1].
        recall: ``(levels,)`` in [0, 1].

    Returns:
        In [0, 1].

    Example:
        >>> round(max_f_beta(np.array([0.5, 0.8]), np.array([1.0, 0.4])), 4)
        0.65
    """
    weighted = BETA_SQUARED * precision + recall
    f_beta = (1 + BETA_SQUARED) * precision * recall
    return float(np.max(f_beta / np.where(weighted > 0, weighted, 1)))


def box_of(mask: NDArray) -> Box | None:
    """The bounding box of the largest 8-connected part of a mask.

    The largest part is used, not the whole mask, because a single stray speck in a corner would
    stretch the box over the image, and a box around two objects fits neither. Work on localization
    without labels scores the same box (Siméoni et al., "Localizing Objects with Self-Supervised
    Transformers and no Labels", BMVC 2021).

    Args:
        mask: ``(H, W)``, non-zero = foreground.

    Returns:
        The box, of the first part in reading order if several are largest; None if the mask is
        empty.

    Example:
        >>> box_of(np.array([[1, 0, 0, 0], [0, 0, 1, 1]]))
        (2, 1, 3, 1)
    """
    parts = regionprops(label(np.asarray(mask) != 0, connectivity=2))
    if not parts:
        return None
    top, left, bottom, right = max(parts, key=lambda part: part.area).bbox
    return left, top, right - 1, bottom - 1


def best_box_iou(box: Box | None, boxes: Sequence[Box]) -> float:
    """Intersection over union of a box with the best-fitting one of several boxes.

    Args:
        box: The box that was found, or None.
        boxes: The true boxes, at least one.

    Returns:
        In [0, 1].

    Example:
        >>> best_box_iou((0, 0, 1, 0), [(1, 0, 2, 0), (5, 5, 6, 6)]) == 1 / 3
        True
    """
    if box is None:
        return 0.0
    return max(_box_iou(box, other) for other in boxes)


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation of two quantities over the same photographs.

    Args:
        first: One number of each photograph.
        second: The other, in the same order.

    Returns:
        In [-1, 1]; None if it is not defined: fewer than three photographs, or a quantity that is
        the same for all of them.

    Example:
        >>> round(rank_correlation([1, 2, 3], [10, 200, 3000]), 6)
        1.0
    """
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(scipy.stats.spearmanr(first, second).statistic)


def _same_shape(found: NDArray, truth: NDArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    if found.shape != truth.shape:
        raise ValueError(
            f"Expected result and truth of equal shape. Received: {found.shape} and {truth.shape}."
        )
    return found != 0, truth != 0


def _at_least(histogram: NDArray[np.intp]) -> NDArray[np.intp]:
    """Number of values of at least each level."""
    return histogram[::-1].cumsum()[::-1]


def _box_iou(first: Box, second: Box) -> float:
    width = min(first[2], second[2]) - max(first[0], second[0]) + 1
    height = min(first[3], second[3]) - max(first[1], second[1]) + 1
    both = max(width, 0) * max(height, 0)
    return both / (_area(first) + _area(second) - both)


def _area(box: Box) -> int:
    return (box[2] - box[0] + 1) * (box[3] - box[1] + 1)
