"""Frames around photographs: bands of one color along the sides that are not part of the scene.

Most label-free methods assume that the sides of an image show background; scans and pictures with a
white or black border break that assumption. Owns: finding frames. Does not own: the processing of
the image inside.
"""

import numpy as np
from numpy.typing import NDArray

# A frame is narrower than this fraction of the side's length.
_WIDEST = 8
# A line of a frame deviates from its median color by less than this on average, of 255.
_EVEN = 6.0
# At the edge of a frame, the color changes by more than this on average, of 255.
_JUMP = 25.0


def frame_widths(rgb: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Widths of the frame at the top, the bottom, the left and the right.

    A band is a frame if each of its lines has a single color and it ends at a sharp edge within an
    eighth of the side; a uniform sky ends gradually or extends further.

    Args:
        rgb: ``(h, w, 3)`` uint8.

    Returns:
        In pixels, 0 where there is none.

    Example:
        >>> image = np.random.default_rng(0).integers(0, 200, (40, 60, 3), dtype=np.uint8)
        >>> image[:3] = 255
        >>> frame_widths(image)
        (3, 0, 0, 0)
    """
    lines = rgb.astype(np.float32)
    across = lines.transpose(1, 0, 2)
    return _width(lines), _width(lines[::-1]), _width(across), _width(across[::-1])


def _width(lines: NDArray[np.float32]) -> int:
    limit = len(lines) // _WIDEST
    medians = np.median(lines[:limit], axis=1)
    strays = np.abs(lines[:limit] - medians[:, np.newaxis]).mean(axis=(1, 2))
    uneven = np.flatnonzero(strays >= _EVEN)
    width = int(uneven[0]) if len(uneven) else limit
    if width in (0, limit):
        return 0
    # The next line may mix both sides of the edge.
    behind = lines[width + 1]
    return width if np.abs(behind - medians[width - 1]).mean() > _JUMP else 0
