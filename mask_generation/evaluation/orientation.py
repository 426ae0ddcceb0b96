"""True boxes in the coordinates of a photograph as it is stored, before its EXIF orientation.

Owns when boxes are turned with their photograph, and how. Masks are turned where they are read
(``mask_generation.inputs.mask_file``).
"""

import dataclasses
import pathlib

from mask_generation.evaluation.metrics import Box
from mask_generation.evaluation.truth import Truth
from mask_generation.inputs.reading import orientation, read_file

# Orientations that exchange width and height.
_SIDEWAYS = (5, 6, 7, 8)


def turned_with_photograph(truth: Truth, width: int, height: int) -> Truth:
    """Boxes in upright coordinates.

    They are taken for stored coordinates if the photograph is stored on its side, and the table
    states the stored size, or states none and a box fits into the stored photograph only.

    Args:
        truth: A photograph with boxes.
        width: Of the upright photograph, in pixels.
        height: Likewise.

    Returns:
        The same, or with boxes and size turned.
    """
    stored = height, width
    fits = all(_fits(box, width, height) for box in truth.boxes)
    fits_stored = all(_fits(box, *stored) for box in truth.boxes)
    if truth.size == (width, height) or (truth.size is None and (fits or not fits_stored)):
        return truth
    turn = orientation(read_file(pathlib.Path(truth.path)))
    if turn not in _SIDEWAYS or truth.size not in (None, stored):
        return truth
    boxes = tuple(turned(box, turn, *stored) for box in truth.boxes)
    return dataclasses.replace(truth, boxes=boxes, size=(width, height))


def turned(box: Box, orientation: int, width: int, height: int) -> Box:
    """A box of a stored photograph in upright coordinates.

    Args:
        box: Left, top, right and bottom in pixels, the last two inside the box.
        orientation: EXIF orientation, 1 to 8.
        width: Of the photograph as it is stored.
        height: Likewise.

    Returns:
        The box.

    Example:
        >>> turned((0, 0, 9, 4), 6, 100, 50)  # the upper left corner is shown at the upper right
        (45, 0, 49, 9)
    """
    left, top, right, bottom = box
    if orientation in (2, 3, 7, 8):
        left, right = width - 1 - right, width - 1 - left
    if orientation in (3, 4, 6, 7):
        top, bottom = height - 1 - bottom, height - 1 - top
    return (top, left, bottom, right) if orientation in _SIDEWAYS else (left, top, right, bottom)


def _fits(box: Box, width: int, height: int) -> bool:
    return box[2] < width and box[3] < height
