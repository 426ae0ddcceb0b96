"""Random resized crop and flip, applied to an image and its mask together.

Owns where a view lies in its image and what its pixels are. It works on NumPy arrays because OpenCV
scales bytes several times faster than TensorFlow's kernels and lets other threads run meanwhile.
Colors are augmented later (``harl_tf.layers.RandomColor``). Nothing here draws random numbers; the
draws are arguments.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

ATTEMPTS = 10
DRAWS = 2 * ATTEMPTS + 3
"""Number of uniform draws in [0, 1) that one window needs."""


@dataclasses.dataclass(frozen=True)
class RandomResizedCrop:
    """How views are cropped: share of the image's area, aspect ratio, flip.

    Attributes:
        area: Smallest and largest share of the image's area. Default: (0.2, 1).
        aspect_ratio: Smallest and largest width/height. Default: (3/4, 4/3).
        flip_probability: Share of views mirrored left to right. Default: 0.5.
        minimum_foreground: Windows are redrawn until their foreground share exceeds this, within
            [0, 1); the releases of HARL and HAPiCLR use 0.3. Default: 0, any window is accepted.
        windows: Largest number of windows to draw; the last one is accepted in any case. Default:
            5.
    """

    area: tuple[float, float] = (0.2, 1.0)
    aspect_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip_probability: float = 0.5
    minimum_foreground: float = 0.0
    windows: int = 5

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if not 0 < self.area[0] <= self.area[1] <= 1:
            raise ValueError(f"Expected 0 < area[0] ≤ area[1] ≤ 1. Received: area={self.area}.")
        if not 0 < self.aspect_ratio[0] <= self.aspect_ratio[1]:
            raise ValueError(
                "Expected 0 < aspect_ratio[0] ≤ aspect_ratio[1]. "
                f"Received: aspect_ratio={self.aspect_ratio}."
            )
        if not 0 <= self.flip_probability <= 1:
            raise ValueError(
                "Expected flip_probability within [0, 1]. "
                f"Received: flip_probability={self.flip_probability}."
            )
        if not 0 <= self.minimum_foreground < 1 or self.windows < 1:
            raise ValueError(
                "Expected minimum_foreground within [0, 1) and windows ≥ 1. Received: "
                f"minimum_foreground={self.minimum_foreground}, windows={self.windows}."
            )

    @property
    def draws(self) -> int:
        """Number of uniform draws in [0, 1) that one view needs."""
        return DRAWS * (self.windows if self.minimum_foreground > 0 else 1)


class Window(NamedTuple):
    """Where a view lies in its photograph.

    Attributes:
        top: First row, in pixels.
        left: First column.
        height: Number of rows.
        width: Number of columns.
        mirrored: 1 if left and right are swapped, otherwise 0.
    """

    top: int
    left: int
    height: int
    width: int
    mirrored: int

    def on_grid(self, step: int) -> "Window":
        """The window with its corner and sides rounded down to multiples of ``step``.

        Example:
            >>> Window(7, 8, 50, 61, 1).on_grid(4)
            Window(top=4, left=8, height=48, width=60, mirrored=1)
        """
        top, left, height, width = (value - value % step for value in self[:4])
        return Window(top, left, height, width, self.mirrored)

    def scaled_down(self, factor: int) -> "Window":
        """The window in a copy of the photograph that is ``factor`` times smaller.

        Example:
            >>> Window(4, 8, 48, 60, 1).scaled_down(4)
            Window(top=1, left=2, height=12, width=15, mirrored=1)
        """
        top, left, height, width = (value // factor for value in self[:4])
        return Window(top, left, height, width, self.mirrored)


def draw_window(draws: Sequence[float], height: int, width: int, crop: RandomResizedCrop) -> Window:
    """Chooses a window as torchvision's ``RandomResizedCrop`` does.

    Up to ten pairs of area (uniform) and aspect ratio (log-uniform) are drawn. The first window
    that fits into the image is used; if none fits, the largest centered window of an allowed ratio.

    Args:
        draws: ``DRAWS`` numbers, uniform in [0, 1).
        height: Height of the image in pixels.
        width: Width of the image in pixels.
        crop: What windows are allowed.

    Returns:
        The window.

    Example:
        >>> draw_window([0.0] * DRAWS, 100, 80, RandomResizedCrop(area=(1.0, 1.0)))
        Window(top=0, left=0, height=100, width=80, mirrored=1)
    """
    vertical, horizontal, mirror = draws[2 * ATTEMPTS : DRAWS]
    mirrored = int(mirror < crop.flip_probability)
    smallest, largest = crop.area
    low, high = (math.log(ratio) for ratio in crop.aspect_ratio)
    for attempt in range(ATTEMPTS):
        area = (smallest + draws[attempt] * (largest - smallest)) * height * width
        ratio = math.exp(low + draws[ATTEMPTS + attempt] * (high - low))
        rows, columns = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if 1 <= rows <= height and 1 <= columns <= width:
            top = int(vertical * (height - rows + 1))
            left = int(horizontal * (width - columns + 1))
            return Window(top, left, rows, columns, mirrored)
    ratio = min(max(width / height, crop.aspect_ratio[0]), crop.aspect_ratio[1])
    too_wide = width / height > ratio
    rows = height if too_wide else max(1, round(width / ratio))
    columns = max(1, round(height * ratio)) if too_wide else width
    top, left = (height - rows + 1) // 2, (width - columns + 1) // 2
    return Window(top, left, rows, columns, mirrored)


def choose_window(draws: Sequence[float], mask: NDArray[Any], crop: RandomResizedCrop) -> Window:
    """Chooses a window with enough foreground, if ``crop`` requires it.

    Args:
        draws: ``crop.draws`` numbers, uniform in [0, 1).
        mask: ``(height, width)`` int region numbers, 0 = background.
        crop: What windows are allowed.

    Returns:
        The first of ``crop.windows`` windows whose foreground share is above
        ``crop.minimum_foreground``, or else the last.

    Example:
        >>> crop = RandomResizedCrop(area=(1.0, 1.0), minimum_foreground=0.3)
        >>> choose_window([0.0] * crop.draws, np.ones((100, 80), np.uint8), crop)
        Window(top=0, left=0, height=100, width=80, mirrored=1)
    """
    height, width = mask.shape
    for start in range(0, crop.draws, DRAWS):
        window = draw_window(draws[start : start + DRAWS], height, width, crop)
        if start + DRAWS == crop.draws:
            break
        top, left, rows, columns, _ = window
        inside = mask[top : top + rows, left : left + columns]
        if np.count_nonzero(inside) > crop.minimum_foreground * inside.size:
            break
    return window


def cut_image(
    image: NDArray[np.uint8], window: Window, view: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Crops a window from an image and scales it to a square, bilinearly.

    Pixel ``j`` of the view samples the image at ``left + (j + 0.5) * width / size - 0.5``, mirrored
    if the window is.

    Args:
        image: ``(height, width, 3)`` uint8.
        window: Where the view lies.
        view: ``(size, size, 3)`` uint8, overwritten.

    Returns:
        ``view``.

    Example:
        >>> image, view = np.full((6, 8, 3), 7, np.uint8), np.zeros((4, 4, 3), np.uint8)
        >>> int(cut_image(image, Window(0, 0, 6, 8, 0), view).min())
        7
    """
    return _cut(image, window, view, cv2.INTER_LINEAR)


def cut_mask(mask: NDArray[Any], window: Window, view: NDArray[Any]) -> NDArray[Any]:
    """Crops the same window from a mask, with nearest-neighbor sampling.

    Args:
        mask: ``(height, width)`` uint8 or uint16.
        window: Where the view lies.
        view: ``(size, size)`` of the mask's dtype, overwritten.

    Returns:
        ``view``.

    Example:
        >>> mask = np.eye(2, dtype=np.uint8)
        >>> cut_mask(mask, Window(0, 0, 2, 2, 1), np.zeros_like(mask)).tolist()
        [[0, 1], [1, 0]]
    """
    return _cut(mask, window, view, cv2.INTER_NEAREST_EXACT)


def _cut(
    array: NDArray[Any], window: Window, view: NDArray[Any], interpolation: int
) -> NDArray[Any]:
    top, left, height, width, mirrored = window
    inside = array[top : top + height, left : left + width]
    size = view.shape[1], view.shape[0]
    if mirrored:
        scaled = cv2.resize(inside, size, interpolation=interpolation)
        cv2.flip(scaled, 1, dst=view)
    else:
        cv2.resize(inside, size, dst=view, interpolation=interpolation)
    return view
