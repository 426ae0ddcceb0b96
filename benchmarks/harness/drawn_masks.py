"""Photographs with their drawn masks, for measurements of quality."""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mask_generation.evaluation.truth import find_truth, read_mask
from mask_generation.inputs.reading import decode_image

Mask = NDArray[Any]


def with_drawn_masks(folder: str) -> Iterator[tuple[NDArray[np.uint8], Mask]]:
    """Photographs of a folder and their drawn masks, in the order of their names."""
    for truth in find_truth(folder):
        if truth.mask is not None:
            rgb, _ = decode_image(pathlib.Path(truth.path).read_bytes())
            yield rgb, read_mask(truth.mask, truth.path, rgb.shape[:2]).foreground
