"""A photograph with its true boxes, checked."""

import math
import os
import pathlib
from typing import NamedTuple

import numpy as np

from harl_tf.evaluation.dense.detection import Boxes


class Annotated(NamedTuple):
    """A photograph and what is in it.

    Attributes:
        path: The photograph.
        boxes: Its true boxes in pixels.
        size: Width and height of the photograph in pixels, as it was annotated.
        ignored: Boxes that neither have to be found nor count as mistakes, for
            ``average_precision``: COCO's crowds, VOC's difficult objects.
    """

    path: pathlib.Path
    boxes: Boxes
    size: tuple[float, float]
    ignored: Boxes


class Marked(NamedTuple):
    """A box as a file has it.

    Attributes:
        label: Its class number.
        corners: Left, top, right and bottom.
        ignored: Whether it does not count.
    """

    label: int
    corners: list[float]
    ignored: bool = False


class Annotations(NamedTuple):
    """The photographs of a data set.

    Attributes:
        images: In the order of the annotations.
        classes: Names, in the order of the class numbers of the boxes.
        left_out: Number of boxes without an area, which no detector can learn.
    """

    images: list[Annotated]
    classes: tuple[str, ...]
    left_out: int


def check_exists(photograph: pathlib.Path, named_by: pathlib.Path) -> None:
    """Refuses annotations of a photograph that is not there.

    Raises:
        FileNotFoundError: If it does not exist, or cannot, with such a name.

    Example:
        >>> check_exists(pathlib.Path("no/such.jpg"), pathlib.Path("a.xml"))
        Traceback (most recent call last):
        FileNotFoundError: a.xml names 'no/such.jpg', which does not exist.
    """
    if not os.path.isfile(photograph):  # False, too, for a name that is too long
        name = f"{str(photograph)!r:.300}"
        raise FileNotFoundError(f"{named_by} names {name}, which does not exist.")


def annotated(
    path: pathlib.Path, marked: list[Marked], width: float, height: float
) -> tuple[Annotated, int]:
    """A photograph with its boxes, and the number of those without an area, which are left out.

    Args:
        path: The photograph.
        marked: Its boxes.
        width: Of the photograph in pixels.
        height: Likewise.

    Raises:
        ValueError: If a box is altogether outside the photograph, or a number is none.

    Example:
        >>> photograph, left_out = annotated(pathlib.Path("a"), [Marked(3, [0, 0, 5, 5])], 9, 9)
        >>> photograph.boxes.classes.tolist(), len(photograph.ignored.classes), left_out
        ([3], 0, 0)
    """
    if not (math.isfinite(width) and math.isfinite(height)):
        raise ValueError(f"Expected width and height of {path}. Received: {width}, {height}.")
    parts, kept = [], 0
    for ignored in (False, True):
        chosen = [each for each in marked if each.ignored == ignored]
        corners, which = within([each.corners for each in chosen], width, height, str(path))
        labels = np.array([chosen[index].label for index in which], np.int64)
        parts.append(Boxes(corners, labels))
        kept += len(corners)
    boxes, ignored_boxes = parts
    return Annotated(path, boxes, (width, height), ignored_boxes), len(marked) - kept


def within(
    corners: list[list[float]], width: float, height: float, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes cut off at the edges of their image.

    Args:
        corners: Left, top, right and bottom of each.
        width: Of the image in pixels.
        height: Likewise.
        where: What they are the boxes of, for messages.

    Returns:
        ``(boxes, 4)`` float32, and which of the given ones they are: those without an area are left
        out.

    Raises:
        ValueError: If a box is altogether outside its image, or no numbers.

    Example:
        >>> within([[-2.0, 0.0, 5.0, 5.0], [3.0, 3.0, 3.0, 9.0]], 10, 10, "a.jpg")[0].tolist()
        [[0.0, 0.0, 5.0, 5.0]]
    """
    try:
        boxes = np.array(corners, np.float64).reshape(-1, 4)
    except ValueError:
        boxes = np.full((1, 4), np.nan)
    if not np.isfinite(boxes).all():
        raise ValueError(
            f"Expected boxes of finite numbers in {where}. Received: {corners!s:.300}."
        )
    beyond = (boxes[:, 0] >= width) | (boxes[:, 1] >= height) | (boxes[:, 2:] <= 0).any(axis=1)
    area = (boxes[:, 2:] - boxes[:, :2]).min(axis=1) > 0 if len(boxes) else np.zeros(0, bool)
    if (beyond & area).any():
        raise ValueError(
            f"Expected boxes within the {width:g}×{height:g} pixels of {where}. "
            f"Received: {boxes[beyond & area][0].tolist()} (left, top, right, bottom)."
        )
    limits = np.array([width, height, width, height])
    return np.clip(boxes[area], 0, limits).astype(np.float32), np.flatnonzero(area)
