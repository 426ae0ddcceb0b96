"""The label-free saliency methods, by name.

Owns: the table :data:`METHODS`. A method is a function that takes one RGB image, uint8 of shape
(h, w, 3), and returns its saliency, float32 of the same height and width in [0, 1], 1 = surely
foreground. It uses no labels and no trained weights, gives the same answer for the same image, and
returns zeros when the image holds nothing to tell apart. Later methods are added to the table here
under the name users pass as ``method``.

Does not own: resizing, thresholding and the judgement of the mask
(``mask_generation.foreground``).

Example:
    >>> sorted(METHODS)
    ['robust_background']
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mask_generation.methods.robust_background import robust_background_saliency

METHODS: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.float32]]] = {
    "robust_background": robust_background_saliency,
}

__all__ = ["METHODS", "robust_background_saliency"]
