"""Many regions instead of two: from one RGB image to a region id for every pixel.

Contrastive detection (DetCon: Hénaff et al., "Efficient Visual Pretraining with Contrastive
Detection", ICCV 2021) contrasts many regions of an image, not only foreground and background. This
module has its two label-free region maps, the spatial grid and Felzenszwalb's segments, as well as
SLIC superpixels and the two regions of any foreground mask.

Owns: :class:`RegionMap`, the methods that make one, by name, and the guarantee that ids never
overflow. Does not own: foreground masks (``mask_generation.methods``) nor how a map is stored.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mask_generation.image.resize import shrink
from mask_generation.image.segments import graph_segments, slic_superpixels
from mask_generation.result import ForegroundMask, check_rgb

MOST_REGIONS = 65_535
"""Largest number of regions of a map, so that every id fits in 16 bits."""


def _smallest_type(count: int) -> np.dtype:
    return np.dtype(np.uint8 if count <= 256 else np.uint16)


def _check_count(count: int) -> None:
    if not 1 <= count <= MOST_REGIONS:
        raise ValueError(
            f"Expected 1 to {MOST_REGIONS:,} regions. Received: {count:,}. "
            "Ask for fewer, larger regions."
        )


def _check_longest_side(pixels: int) -> None:
    if pixels < 1:
        raise ValueError(f"Expected longest_side ≥ 1. Received: {pixels}.")


@dataclasses.dataclass(frozen=True, eq=False)
class RegionMap:
    """The region that each pixel belongs to.

    Maps compare by identity (comparing arrays element by element has no single answer).

    Attributes:
        ids: (H, W), uint8 if there are at most 256 regions and uint16 otherwise; every number from
            0 to ``count - 1`` occurs.
        count: Number of regions, 1 to 65,535.

    Raises:
        ValueError: If ids and count do not match. ``numbered`` makes a map from any ids.

    Example:
        >>> RegionMap(np.array([[0, 1]], np.uint8), count=2).ids.dtype
        dtype('uint8')
    """

    ids: NDArray[np.uint8] | NDArray[np.uint16]
    count: int

    def __post_init__(self) -> None:
        """Checks that no id has overflowed or is missing."""
        _check_count(self.count)
        dtype = _smallest_type(self.count)
        if self.ids.ndim != 2 or self.ids.size == 0 or self.ids.dtype != dtype:
            raise ValueError(
                f"Expected the ids of {self.count} regions as {dtype} of shape (height, width). "
                f"Received: {self.ids.dtype} of shape {self.ids.shape}."
            )
        found = np.bincount(self.ids.ravel(), minlength=self.count)
        if len(found) > self.count or not found.all():
            raise ValueError(
                f"Expected ids from 0 to {self.count - 1}, each used. Received: "
                f"{np.count_nonzero(found)} different ones up to {len(found) - 1}. Make the map "
                "with numbered(ids)."
            )


RegionMethod = Callable[[NDArray[np.uint8]], RegionMap]
"""From RGB, ``(H, W, 3)`` uint8, to the regions of the same size."""


@dataclasses.dataclass(frozen=True)
class Grid:
    """DetCon's spatial heuristic: the image divided into equal rectangles, whatever it shows.

    Attributes:
        cells: Number of rectangles along each side, 1 to 255. Default: 5.

    Example:
        >>> Grid(2)(np.zeros((2, 4, 3), np.uint8)).ids.tolist()
        [[0, 0, 1, 1], [2, 2, 3, 3]]
    """

    cells: int = 5

    def __post_init__(self) -> None:
        """Checks the number of cells."""
        if not 1 <= self.cells <= 255:
            raise ValueError(f"Expected cells in [1, 255]. Received: {self.cells}.")

    def __call__(self, rgb: NDArray[np.uint8]) -> RegionMap:
        """Cuts an image, ``(H, W, 3)`` uint8."""
        height, width = rgb.shape[:2]
        rows = np.arange(height) * self.cells // height
        columns = np.arange(width) * self.cells // width
        return numbered(rows[:, None] * self.cells + columns)


@dataclasses.dataclass(frozen=True)
class Felzenszwalb:
    """Segments of Felzenszwalb and Huttenlocher (IJCV 2004), with DetCon's settings.

    DetCon's code for ImageNet uses a scale and a minimum size of 1000 and a smoothing of .8; HARL's
    PyTorch code uses a scale of (H + W) / 8, a smoothing of .5 and a minimum size of 1000. Both use
    scikit-image, whose segments differ slightly from OpenCV's, which are used here. For several
    maps of an image, create several instances.

    Attributes:
        scale: How different two segments must be to stay separate, for colors of 0 to 255; larger
            values give larger segments. Default: 1000.
        sigma: Standard deviation of the Gaussian that first smooths the image, in pixels. Default:
            0.8.
        min_size: Segments with fewer pixels are merged with a neighbor. Default: 1000.
        longest_side: Larger images are segmented in a copy shrunk to this many pixels, and the ids
            are enlarged, so that segments are comparable across image sizes. The two papers'
            settings are meant for ImageNet's photographs, mostly 500 pixels. Default: 500.

    Example:
        >>> image = np.zeros((60, 80, 3), np.uint8)
        >>> image[:, 40:] = 250
        >>> Felzenszwalb()(image).count
        2
        >>> family = [Felzenszwalb(scale, min_size=scale) for scale in (500, 1000, 1500)]
    """

    scale: float = 1000.0
    sigma: float = 0.8
    min_size: int = 1000
    longest_side: int = 500

    def __post_init__(self) -> None:
        """Checks the settings."""
        if not (self.scale > 0 and self.sigma >= 0 and self.min_size >= 0):
            raise ValueError(
                "Expected scale > 0, sigma ≥ 0 and min_size ≥ 0. Received: "
                f"scale={self.scale}, sigma={self.sigma}, min_size={self.min_size}."
            )
        _check_longest_side(self.longest_side)

    def __call__(self, rgb: NDArray[np.uint8]) -> RegionMap:
        """Cuts an image, ``(H, W, 3)`` uint8."""
        small = shrink(rgb, self.longest_side)
        ids = graph_segments(small, self.scale, self.sigma, self.min_size)
        return _enlarged(numbered(ids), *rgb.shape[:2])


@dataclasses.dataclass(frozen=True)
class Slic:
    """SLIC superpixels (Achanta et al., PAMI 2012): many compact regions of similar size.

    An image with fewer than four pixels on a side is one region.

    Attributes:
        regions: Approximate number of regions, 1 to 65,535. Default: 100.
        compactness: Weight of position relative to color, in 8-bit Lab units. Default: 20.
        longest_side: Larger images are segmented in a copy shrunk to this many pixels, and the ids
            are enlarged. Default: 500.

    Example:
        >>> Slic(regions=4)(np.zeros((60, 60, 3), np.uint8)).count
        4
    """

    regions: int = 100
    compactness: float = 20.0
    longest_side: int = 500

    def __post_init__(self) -> None:
        """Checks the settings."""
        _check_count(self.regions)
        if not self.compactness > 0:
            raise ValueError(f"Expected compactness > 0. Received: {self.compactness}.")
        _check_longest_side(self.longest_side)

    def __call__(self, rgb: NDArray[np.uint8]) -> RegionMap:
        """Cuts an image, ``(H, W, 3)`` uint8."""
        small = shrink(rgb, self.longest_side)
        ids = slic_superpixels(small, self.regions, self.compactness)
        one = np.zeros(small.shape[:2], np.intp)
        return _enlarged(numbered(one if ids is None else ids), *rgb.shape[:2])


@dataclasses.dataclass(frozen=True)
class TwoRegions:
    """Background and foreground of a mask method as a region map, background first.

    Attributes:
        method: The mask method. An image in which it finds no foreground, or only foreground, is
            one region.

    Example:
        >>> from mask_generation.methods import METHODS
        >>> regions = TwoRegions(METHODS["robust_background"])
    """

    method: Callable[[NDArray[np.uint8]], ForegroundMask]

    def __call__(self, rgb: NDArray[np.uint8]) -> RegionMap:
        """Computes the mask of an image, ``(H, W, 3)`` uint8."""
        return numbered(self.method(rgb).mask)


REGION_METHODS: dict[str, RegionMethod] = {
    "grid": Grid(),
    "felzenszwalb": Felzenszwalb(),
    "slic": Slic(),
}
"""The region methods by name, each with default settings."""


def region_map(rgb: NDArray[np.uint8], method: str | RegionMethod) -> RegionMap:
    """Divides an image into regions.

    The same image always gives the same regions.

    Args:
        rgb: uint8 array of shape (H, W, 3), H, W >= 1, values 0 to 255.
        method: A key of ``REGION_METHODS``, or a method itself, such as one with other settings.

    Returns:
        The regions, of shape (H, W).

    Raises:
        TypeError: If ``rgb`` is not a numpy array.
        ValueError: If ``rgb`` is not uint8 of shape (H, W, 3), the method is unknown, or there are
            more than 65,535 regions.

    Example:
        >>> region_map(np.zeros((60, 80, 3), np.uint8), "grid").count
        25
    """
    check_rgb(rgb)
    if isinstance(method, str):
        if method not in REGION_METHODS:
            raise ValueError(f"Expected method in {sorted(REGION_METHODS)}. Received: {method!r}.")
        method = REGION_METHODS[method]
    return method(rgb)


def numbered(ids: NDArray[np.integer]) -> RegionMap:
    """Makes a region map from any ids: renumbers them without gaps, keeping their order.

    Args:
        ids: Whole numbers of shape (H, W), at least one.

    Returns:
        The map. Connectivity is ignored: equal ids stay one region.

    Raises:
        ValueError: If there are more than 65,535 regions.

    Example:
        >>> numbered(np.array([[700, 5], [5, -1]])).ids.tolist()
        [[2, 1], [1, 0]]
    """
    found, dense = np.unique(ids, return_inverse=True)
    _check_count(len(found))
    return RegionMap(dense.reshape(ids.shape).astype(_smallest_type(len(found))), len(found))


def _enlarged(regions: RegionMap, height: int, width: int) -> RegionMap:
    """The same regions in a larger image; every id keeps at least one pixel."""
    if regions.ids.shape == (height, width):
        return regions
    # Pillow resizes 16-bit integers only as 32-bit ones.
    image = Image.fromarray(regions.ids.astype(np.int32))
    ids = np.asarray(image.resize((width, height), Image.Resampling.NEAREST))
    return numbered(ids)
