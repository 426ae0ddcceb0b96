"""The description of every region of one segmentation: contrast, backgroundness, properties.

Owns the order and meaning of the features, :data:`NAMES`. Does not own what is measured at the
pixels (``mask_generation.drfi.pixels``).

Kept of the paper: the three groups; contrast as the difference from every other region, weighted by
that region's size and nearness; backgroundness as the difference from a narrow band along the
border. Changed: histograms are compared by the squared Hellinger distance, which agrees with the
paper's chi-squared for similar histograms and needs one matrix product; boundary connectivity (Zhu
et al., CVPR 2014, equation 1) is one of the properties.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from mask_generation.drfi.pixels import TEXTURES, WORD_BINS, Pixels

_Floats = NDArray[np.float64]

_CHANNELS = (
    *("red", "green", "blue", "lightness", "a", "b", "hue", "saturation", "value"),
    *(f"texture {index}" for index in range(TEXTURES)),
)
_HISTOGRAMS = ("Lab", "hue", "saturation", "pattern", "texture")
_POSITIONS = (
    *("row", "column", "first row", "first column", "last row", "last column"),
    *("aspect", "area", "perimeter", "neighbours' area", "boundary connectivity"),
)
NAMES = (
    *(f"contrast of {name}" for name in _CHANNELS),
    *(f"contrast of {name} histogram" for name in _HISTOGRAMS),
    *(f"backgroundness of {name}" for name in _CHANNELS),
    *(f"backgroundness of {name} histogram" for name in _HISTOGRAMS),
    *(f"variance of {name}" for name in _CHANNELS),
    *_POSITIONS,
)
"""What each feature is, in the order of the columns."""

# The band along the border that stands for the background: the paper's 15 of 400 pixels.
_BAND = 15 / 400
# Spread of the nearness of two regions, in image sides.
_SIGMA_SPACE = 0.4
# Share of a region's pixels before its "first" and after its "last" row and column.
_TAIL = 0.1


@dataclasses.dataclass(frozen=True, eq=False)
class _Pooled:
    """Means and variances (n, channels) and root histograms (n, bins) of n sets of pixels."""

    means: _Floats
    variances: _Floats
    roots: list[_Floats]


def describe(pixels: Pixels, levels: Sequence[NDArray[np.integer]]) -> list[NDArray[np.float32]]:
    """Describes every region of every segmentation of an image.

    Args:
        pixels: The measurements of an image of h by w pixels.
        levels: Segmentations (h, w), each of values 0 to n - 1, each used.

    Returns:
        For each segmentation ``(n, len(NAMES))`` float32, finite.

    Example:
        >>> from mask_generation.drfi.pixels import measure
        >>> ids = np.arange(6).reshape(2, 3).repeat(4, 0).repeat(4, 1)
        >>> (features,) = describe(measure(np.zeros((8, 12, 3), np.uint8)), [ids])
        >>> features.shape == (6, len(NAMES))
        True
    """
    height, width = pixels.words.shape[:2]
    values = pixels.values.reshape(height * width, -1).astype(np.float64)
    powers = np.concatenate([values, values**2], axis=1)
    words = pixels.words.reshape(height * width, -1).T.astype(np.intp)
    band = _pool(powers, words, np.where(_band(height, width), 0, 1).ravel(), 2)
    return [_describe_one(powers, words, ids, band) for ids in levels]


def _describe_one(
    powers: _Floats, words: NDArray[np.intp], ids: NDArray[np.integer], band: _Pooled
) -> NDArray[np.float32]:
    flat = ids.ravel()
    area = np.bincount(flat).astype(np.float64)
    regions = _pool(powers, words, flat, len(area))
    places = _places(ids, area)
    near = np.exp(-cdist(places[:, :2], places[:, :2], "sqeuclidean") / (2 * _SIGMA_SPACE**2))
    weights = near * area
    np.fill_diagonal(weights, 0.0)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    columns = [
        _contrast(regions, weights),
        _backgroundness(regions, band),
        regions.variances,
        places,
        _forms(ids, area),
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def _pool(
    powers: _Floats, words: NDArray[np.intp], flat: NDArray[np.integer], count: int
) -> _Pooled:
    """Means, variances and root histograms of the pixels of each id; zeros for an unused one.

    ``powers`` are the values of the pixels and then their squares, ``words`` one row a histogram.
    """
    present = np.bincount(flat, minlength=count)
    area = np.maximum(present, 1).astype(np.float64)[:, None]
    # Row r of this matrix has a one for each pixel of region r.
    members = scipy.sparse.csr_array(
        (np.ones(len(flat)), _in_order(flat), np.append(0, np.cumsum(present))),
        shape=(count, len(flat)),
    )
    means, squares = np.split(members @ powers / area, 2, axis=1)
    roots = []
    for word, bins in zip(words, WORD_BINS, strict=True):
        histogram = np.bincount(flat * bins + word, minlength=count * bins).reshape(count, bins)
        roots.append(np.sqrt(histogram / area))
    return _Pooled(means, np.maximum(squares - means**2, 0.0), roots)


def _contrast(regions: _Pooled, weights: _Floats) -> _Floats:
    """Mean difference from the other regions, near and large ones counting more."""
    differences = [
        (weights * np.abs(mean[:, None] - mean[None])).sum(axis=1) for mean in regions.means.T
    ]
    # sum_j w_ij (1 - <r_i, r_j>), the squared Hellinger distance.
    total = weights.sum(axis=1)
    distances = [total - ((weights @ root) * root).sum(axis=1) for root in regions.roots]
    return np.stack([*differences, *distances], axis=1)


def _backgroundness(regions: _Pooled, band: _Pooled) -> _Floats:
    """Difference from the band along the border."""
    differences = np.abs(regions.means - band.means[0])
    distances = [
        1 - root @ of_band[0] for root, of_band in zip(regions.roots, band.roots, strict=True)
    ]
    return np.concatenate([differences, np.stack(distances, axis=1)], axis=1)


def _places(ids: NDArray[np.integer], area: _Floats) -> _Floats:
    """Mean row and column, and those with a tenth of the pixels before or after, in [0, 1]."""
    middle, first, last = zip(_along(ids, area), _along(ids.T, area), strict=True)
    return np.stack([*middle, *first, *last], axis=1)


def _along(ids: NDArray[np.integer], area: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Mean, first and last row of each region, as shares of the height."""
    height, width = ids.shape
    flat = ids.ravel()
    rows = _in_order(flat) // width
    end = np.cumsum(area).astype(np.intp)
    begin = end - area.astype(np.intp)
    tail = (_TAIL * (area - 1)).astype(np.intp)
    mean = np.add.reduceat(rows, begin) / area
    return (mean + 0.5) / height, rows[begin + tail] / height, (rows[end - 1 - tail] + 1) / height


def _in_order(flat: NDArray[np.integer]) -> NDArray[np.intp]:
    """The pixels region by region, those of a region in their own order."""
    # NumPy sorts 16-bit numbers by radix, an order of magnitude faster.
    keys = flat.astype(np.uint16) if flat.max() < 2**16 else flat
    return np.argsort(keys, kind="stable")


def _forms(ids: NDArray[np.integer], area: _Floats) -> _Floats:
    """Aspect, area, perimeter, area of the neighbors, boundary connectivity."""
    height, width = ids.shape
    count = len(area)
    perimeter = _on_border(ids, count)
    touching = np.zeros((count, count), dtype=bool)
    for one, other in ((ids[1:], ids[:-1]), (ids[:, 1:], ids[:, :-1])):
        apart = one != other
        touching[one[apart], other[apart]] = True
        for side in (one, other):
            perimeter += np.bincount(side[apart], minlength=count)
    touching |= touching.T
    _, first, last = zip(_along(ids, area), _along(ids.T, area), strict=True)
    tall, wide = ((last[axis] - first[axis]) * ids.shape[axis] for axis in (0, 1))
    columns = (
        tall / (tall + wide),
        area / ids.size,
        perimeter / (2 * (height + width)),
        touching @ area / ids.size,
        _on_border(ids, count) / np.sqrt(area),
    )
    return np.stack(columns, axis=1)


def _on_border(ids: NDArray[np.integer], count: int) -> _Floats:
    """Pixel sides of each region on the image border; a corner has two."""
    sides = np.concatenate([ids[0], ids[-1], ids[:, 0], ids[:, -1]])
    return np.bincount(sides, minlength=count).astype(np.float64)


def _band(height: int, width: int) -> NDArray[np.bool_]:
    thick = max(1, round(_BAND * max(height, width)))
    band = np.ones((height, width), dtype=bool)
    band[thick:-thick, thick:-thick] = False
    return band
