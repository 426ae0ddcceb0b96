"""What GrabCut's cut costs: by colour for each pixel, by contrast between neighbours.

Rother, Kolmogorov and Blake, "GrabCut", SIGGRAPH 2004. The energies are the paper's; only the
weight of the contrast is ours, because the paper's does not depend on the size of the image.

Owns: capacities of the graph. Does not own: the colour models (OpenCV learns them), nor the cut
(``mask_generation.cut.minimum_cut``).
"""

import math
from typing import Any, NamedTuple

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from mask_generation.cut.minimum_cut import NEIGHBORS

_Floats = NDArray[np.float64]

SMOOTHNESS = 0.087
"""Weight of contrast against colour, for each pixel of the image's longer side.

An image of half the size has a quarter of the pixels, whose colour counts, but half of the edge,
whose contrast counts. The paper's 50 is this for 575 pixels; in thumbnails it makes masks too
small."""

_COLORS = 5  # in OpenCV's models
_compiled: Any = numba.njit(cache=True)


class ColorModel(NamedTuple):
    """A mixture of Gaussians over 8-bit RGB.

    Attributes:
        log_weight: ``(k,)``, logarithm of each Gaussian's weight over the root of its determinant.
        mean: ``(k, 3)``.
        precision: ``(k, 3, 3)``, inverse covariances.
    """

    log_weight: _Floats
    mean: _Floats
    precision: _Floats


def color_model(opencv_model: _Floats) -> ColorModel:
    """Unpacks the model that ``cv2.grabCut`` has learned.

    Args:
        opencv_model: ``(1, 65)`` float64: five weights, means and covariances.

    Returns:
        Its Gaussians of weight above 0.

    Example:
        >>> one = np.zeros((1, 65))
        >>> one[0, 0] = 1.0
        >>> one[0, 20:29] = np.eye(3).ravel()
        >>> color_model(one).log_weight.tolist(), color_model(one).mean.tolist()
        ([0.0], [[0.0, 0.0, 0.0]])
    """
    weight, mean, covariance = np.split(opencv_model.ravel(), (_COLORS, 4 * _COLORS))
    used = weight > 0
    covariance = covariance.reshape(_COLORS, 3, 3)[used]
    scale = np.sqrt(np.linalg.det(covariance))
    precision: _Floats = np.linalg.inv(covariance).astype(np.float64)
    return ColorModel(
        np.log(weight[used] / scale),
        mean.reshape(_COLORS, 3)[used],
        precision,
    )


@_compiled
def cut_graph(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    foreground: ColorModel,
    background: ColorModel,
    smoothness: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Capacities of the graph over the pixels in question.

    Pixels whose label is sure are left out; ties of other pixels to them become ties to the
    terminal.

    Args:
        image: ``(H, W, 3)`` uint8.
        labels: ``(H, W)`` uint8, OpenCV's: 0 surely background, 1 surely foreground, 2 and 3 in
            question.
        foreground: Colours of the foreground.
        background: Colours of the background.
        smoothness: Weight of contrast, at least 0; in the paper, 50.

    Returns:
        ``(H + 2, W + 2)`` and ``(H + 2, W + 2, 8)`` float32: what ``minimum_cut`` takes.
    """
    height, width = labels.shape
    excess = np.zeros((height + 2, width + 2), np.float32)
    capacity = np.zeros((height + 2, width + 2, 8), np.float32)
    scale = _contrast_scale(image)
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            at = (row + 1, column + 1)
            if label >= 2:
                color = image[row, column]
                excess[at] += _cost(color, background) - _cost(color, foreground)
            for direction in range(0, 8, 2):
                other_row, other_column = _neighbor(row, column, direction)
                if not (other_row < height and 0 <= other_column < width):
                    continue
                other_label = labels[other_row, other_column]
                if label < 2 and other_label < 2:
                    continue
                contrast = _contrast(image[row, column], image[other_row, other_column])
                tie = np.float32(smoothness * math.exp(-scale * contrast))
                if direction >= 4:  # a diagonal
                    tie *= np.float32(math.sqrt(0.5))
                other = (other_row + 1, other_column + 1)
                if label >= 2 and other_label >= 2:
                    capacity[at[0], at[1], direction] = tie
                    capacity[other[0], other[1], direction + 1] = tie
                elif label >= 2:
                    excess[at] += tie if other_label == cv2.GC_FGD else -tie
                else:
                    excess[other] += tie if label == cv2.GC_FGD else -tie
    return excess, capacity


@_compiled
def _neighbor(row: int, column: int, direction: int) -> tuple[int, int]:
    down, right = NEIGHBORS[direction]
    return row + down, column + right


@_compiled
def _contrast(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Squared distance of two colours."""
    total = 0.0
    for channel in range(3):
        difference = float(one[channel]) - float(other[channel])
        total += difference * difference
    return total


@_compiled
def _contrast_scale(image: NDArray[np.uint8]) -> float:
    """The paper's beta: one over twice the mean contrast; 0 in an image of one colour."""
    height, width = image.shape[:2]
    total, count = 0.0, 0
    for row in range(height):
        for column in range(width):
            for direction in range(0, 8, 2):
                other_row, other_column = _neighbor(row, column, direction)
                if other_row < height and 0 <= other_column < width:
                    total += _contrast(image[row, column], image[other_row, other_column])
                    count += 1
    return 0.5 * count / total if total > 0 else 0.0


@_compiled
def _cost(color: NDArray[np.uint8], model: ColorModel) -> float:
    """Negative logarithm of a colour's likelihood, without the constant."""
    red, green, blue = float(color[0]), float(color[1]), float(color[2])
    likelihood = 1e-300  # keeps colours out of reach of all Gaussians finite
    for k in range(model.log_weight.size):
        p = model.precision[k]
        x, y, z = red - model.mean[k, 0], green - model.mean[k, 1], blue - model.mean[k, 2]
        distance = x * (p[0, 0] * x + 2 * (p[0, 1] * y + p[0, 2] * z))
        distance += y * (p[1, 1] * y + 2 * p[1, 2] * z) + z * z * p[2, 2]
        likelihood += math.exp(model.log_weight[k] - 0.5 * distance)
    return -math.log(likelihood)
