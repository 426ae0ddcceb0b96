"""Robust Background Detection: saliency from how strongly a region hangs on the image border.

After Zhu, Liang, Wei and Sun, "Saliency Optimization from Robust Background Detection", CVPR 2014;
equation numbers in this file are that paper's. The idea: an object may touch the border a little,
background touches it a lot for its size. Each superpixel gets a background probability from its
border length over the square root of its area, both measured softly along colour geodesics; colour
contrast against likely background gives a foreground weight; a least-squares problem joins both and
smooths the result between neighbours of like colour.

Two things here are not in the paper's equations, and both were measured to help: the background
cost counts five times (:data:`_BACKGROUND_WEIGHT`), and low contrast is set to zero before the
least-squares problem (:func:`_foreground_weight`).

Owns: the saliency map of one image at the size it is given. Does not own: resizing, thresholding,
or deciding whether the map is usable (``mask_generation.foreground``). Cost grows with the cube of
the number of superpixels, not with the image, but the superpixels themselves take time linear in
the pixels: a longer side of 160 px loses no accuracy.
"""

import dataclasses

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.sparse.csgraph import floyd_warshall
from scipy.spatial.distance import cdist
from skimage.color import rgb2lab
from skimage.segmentation import slic

from mask_generation.binarize import otsu_split
from mask_generation.result import check_rgb

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]

_SEGMENTS = 200
# Small images get fewer superpixels, so that each still has enough pixels for a mean colour.
_PIXELS_PER_SEGMENT = 9
_SLIC_ITERATIONS = 6
# Weight of position against colour in SLIC, in Lab units.
_COMPACTNESS = 20.0

# The paper's constants: colour spread (Lab units), spatial spread (1 = image side), spread of the
# boundary connectivity, and the floor of the smoothness weights.
_SIGMA_COLOUR = 10.0
_SIGMA_SPACE = 0.25
_SIGMA_CONNECTIVITY = 1.0
_SMOOTHNESS_FLOOR = 0.1
# Weight of the background cost against the other two. The paper has 1; 5 gave masks that agree
# better with hand-made ones, on photographs of horses and of people.
_BACKGROUND_WEIGHT = 5.0

# Contrast and saliency below these are rounding, not signal.
_MIN_CONTRAST = 1e-6
_MIN_SALIENCY_RANGE = 1e-6


@dataclasses.dataclass(frozen=True, eq=False)
class _Superpixels:
    """The n superpixels of one image.

    Attributes:
        labels: int array (h, w), values 0 to n - 1, each used.
        colour: (n, 3) mean Lab colour.
        centre: (n, 2) mean row and column, each divided by the image's height and width.
        touching: (n, n) symmetric, True where two superpixels share a pixel edge.
        on_border: (n,) True where a superpixel has a pixel on the image border.
    """

    labels: NDArray[np.intp]
    colour: _Floats
    centre: _Floats
    touching: _Bools
    on_border: _Bools


def robust_background_saliency(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Saliency of one image by Robust Background Detection.

    Args:
        rgb: uint8 array of shape (h, w, 3), h, w >= 1, values 0 to 255. A longer side of about
            160 px is recommended: larger is slower and no more accurate.

    Returns:
        float32 array of shape (h, w) in [0, 1], constant inside each superpixel, stretched so that
        its smallest value is 0 and its largest 1. All zeros if the image has one colour only or
        nothing in it stands out from the background; also for strong pixel noise, in which no
        superpixels hold together.

    Raises:
        TypeError: If ``rgb`` is not a numpy array.
        ValueError: If ``rgb`` is not uint8 of shape (h, w, 3).

    Example:
        >>> import numpy as np
        >>> image = np.zeros((60, 80, 3), dtype=np.uint8)
        >>> image[20:40, 30:50] = (200, 40, 40)
        >>> saliency = robust_background_saliency(image)
        >>> bool(saliency[30, 40] > 0.9), bool(saliency[5, 5] < 0.1)
        (True, True)
    """
    check_rgb(rgb)
    zeros = np.zeros(rgb.shape[:2], dtype=np.float32)
    if not np.ptp(rgb, axis=(0, 1)).any():
        return zeros
    parts = _superpixels(rgb)
    appearance = cdist(parts.colour, parts.colour)
    geodesic = _geodesic_distances(appearance, parts)
    background = _background_probability(boundary_connectivity(geodesic, parts.on_border))
    contrast = _background_weighted_contrast(appearance, parts.centre, background)
    if contrast.max() < _MIN_CONTRAST:
        return zeros
    foreground = _foreground_weight(contrast)
    saliency = _optimise(background, foreground, appearance, parts.touching)
    spread = np.ptp(saliency)
    if spread < _MIN_SALIENCY_RANGE:
        return zeros
    stretched = ((saliency - saliency.min()) / spread).astype(np.float32)
    return stretched[parts.labels]


def boundary_connectivity(geodesic: NDArray[np.floating], on_border: NDArray[np.bool_]) -> _Floats:
    """How strongly each superpixel hangs on the image border (equations 3 to 5).

    A superpixel's soft region is every superpixel, weighted by exp(-d^2 / (2 sigma^2)) of its
    geodesic colour distance d, sigma = 10 Lab units. The connectivity is the region's number of
    border superpixels over the square root of its number of superpixels.

    Args:
        geodesic: float array of shape (n, n), geodesic colour distances in Lab units, >= 0, zero
            on the diagonal; infinity where no path exists.
        on_border: bool array of shape (n,), True for superpixels on the image border.

    Returns:
        float64 array of shape (n,), >= 0; well below 1 for objects, above 1 for background.

    Raises:
        ValueError: If the shapes do not belong together.

    Example:
        >>> import numpy as np
        >>> far = np.array([[0.0, 1000.0], [1000.0, 0.0]])
        >>> boundary_connectivity(far, np.array([True, False])).tolist()
        [1.0, 0.0]
    """
    count = len(on_border)
    if geodesic.shape != (count, count):
        raise ValueError(
            f"The geodesic distances of {count} superpixels must have shape ({count}, {count}), "
            f"but their shape is {geodesic.shape}."
        )
    belonging = _gaussian(np.asarray(geodesic, dtype=np.float64), _SIGMA_COLOUR)
    area = belonging.sum(axis=1)  # equation 3
    border_length = belonging @ on_border.astype(np.float64)  # equation 4
    return border_length / np.sqrt(area)  # equation 5


def _superpixels(rgb: NDArray[np.uint8]) -> _Superpixels:
    """Cut the image into SLIC superpixels and measure them."""
    lab = rgb2lab(rgb)
    height, width = rgb.shape[:2]
    wanted = int(np.clip(height * width // _PIXELS_PER_SEGMENT, 1, _SEGMENTS))
    # slic stretches whatever it is given to [0, 1] before it weighs colour against position;
    # dividing by the range keeps the weight in Lab units.
    segments = slic(
        lab,
        n_segments=wanted,
        compactness=_COMPACTNESS / float(np.ptp(lab)),
        max_num_iter=_SLIC_ITERATIONS,
        convert2lab=False,
        start_label=0,
    )
    # slic may skip a label; the matrices below need them without gaps.
    used = np.bincount(segments.ravel()) > 0
    labels = (np.cumsum(used) - 1)[segments]
    count = int(used.sum())
    rows, columns = np.divmod(np.arange(height * width), width)
    on_border = np.zeros(count, dtype=bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        on_border[edge] = True
    return _Superpixels(
        labels=labels,
        colour=_segment_means(labels, lab.reshape(-1, 3), count),
        centre=_segment_means(labels, np.stack([rows / height, columns / width], axis=1), count),
        touching=_touching(labels, count),
        on_border=on_border,
    )


def _segment_means(labels: NDArray[np.intp], values: _Floats, count: int) -> _Floats:
    """Mean of each column of ``values`` (one row per pixel) over each superpixel."""
    flat = labels.ravel()
    sums = [np.bincount(flat, weights=column, minlength=count) for column in values.T]
    return np.stack(sums, axis=1) / np.bincount(flat, minlength=count)[:, np.newaxis]


def _touching(labels: NDArray[np.intp], count: int) -> _Bools:
    """Which superpixels share a pixel edge, as a symmetric matrix with an empty diagonal."""
    touching = np.zeros((count, count), dtype=bool)
    touching[labels[:, :-1], labels[:, 1:]] = True
    touching[labels[:-1], labels[1:]] = True
    touching |= touching.T
    np.fill_diagonal(touching, False)
    return touching


def _geodesic_distances(appearance: _Floats, parts: _Superpixels) -> _Floats:
    """Equation 2: least accumulated colour distance over neighbouring superpixels.

    All border superpixels count as neighbours of each other, so that background cut in two by an
    object is still one region.
    """
    linked = parts.touching | np.logical_and.outer(parts.on_border, parts.on_border)
    # A dense graph marks a missing edge by infinity or by zero; neighbours of exactly the same
    # colour must keep their edge, hence the floor.
    weights = np.where(linked, np.maximum(appearance, 1e-9), np.inf)
    return floyd_warshall(weights)


def _background_probability(connectivity: _Floats) -> _Floats:
    """Equation 8: near 1 where the boundary connectivity is large, near 0 where it is small."""
    return 1.0 - _gaussian(connectivity, _SIGMA_CONNECTIVITY)


def _background_weighted_contrast(
    appearance: _Floats, centre: _Floats, background: _Floats
) -> _Floats:
    """Equation 7: colour distance to near superpixels, counting likely background only."""
    nearness = _gaussian(cdist(centre, centre), _SIGMA_SPACE)
    return (appearance * nearness) @ background


def _foreground_weight(contrast: _Floats) -> _Floats:
    """Contrast as a share of its maximum, set to zero below its Otsu threshold.

    The cut keeps weakly contrasting background from being pulled up. It helps on photographs of one
    animal in a landscape and costs a little on people in a street.
    """
    share = contrast / contrast.max()
    return np.where(share < otsu_split(share), 0.0, share)


def _optimise(
    background: _Floats, foreground: _Floats, appearance: _Floats, touching: _Bools
) -> _Floats:
    """Equation 9: the saliency with the least sum of three squared costs.

    Likely background pulls to 0, contrast pulls to 1, neighbours of like colour (equation 10)
    pull together. Setting the gradient to zero leaves a symmetric linear system; it is positive
    definite, as the graph is connected and border superpixels have a background weight above 0.
    """
    smoothness = np.where(touching, _gaussian(appearance, _SIGMA_COLOUR) + _SMOOTHNESS_FLOOR, 0.0)
    pull = _BACKGROUND_WEIGHT * background + foreground
    system = np.diag(pull + smoothness.sum(axis=1)) - smoothness
    return scipy.linalg.solve(system, foreground, assume_a="pos")


def _gaussian(distance: _Floats, sigma: float) -> _Floats:
    """exp(-d^2 / (2 sigma^2)), 0 for an infinite distance."""
    return np.exp(-(distance**2) / (2.0 * sigma**2))
