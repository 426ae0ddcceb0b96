"""The label-free mask methods, by name.

Owns: the table :data:`METHODS`. A method takes one RGB image, uint8 of shape (H, W, 3), and returns
a ``ForegroundMask`` of the same height and width. It gives the same answer for the same image, and
a saliency of zeros when the image holds nothing to tell apart. Methods that have settings are
small frozen classes; the table holds one of each, with its default settings, under the name users
pass as ``method``.

Does not own: the checks of the image and the judgement of the mask
(``mask_generation.foreground``).

Example:
    >>> "robust_background" in METHODS
    True
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mask_generation.methods.robust_background import robust_background_saliency
from mask_generation.result import ForegroundMask
from mask_generation.thresholded import Thresholded

MaskMethod = Callable[[NDArray[np.uint8]], ForegroundMask]
"""From RGB, ``(H, W, 3)`` uint8, to the mask of the same size."""

METHODS: dict[str, MaskMethod] = {
    "robust_background": Thresholded(robust_background_saliency),
}
"""Every method that needs nothing but the image."""

DEFAULT = "robust_background"
"""The method used where none is named."""


def named(name: str) -> MaskMethod:
    """The method of this name.

    Args:
        name: A key of ``METHODS``.

    Returns:
        The method.

    Raises:
        ValueError: If there is none.

    Example:
        >>> named("robust_background").work_size
        160
    """
    if name not in METHODS:
        known = ", ".join(repr(name) for name in sorted(METHODS))
        raise ValueError(f"The method must be one of {known}, but it is {name!r}.")
    return METHODS[name]
