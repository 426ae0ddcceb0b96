"""Photographs in squares of one size, with their boxes, and back."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from harl_tf.evaluation.datasets.annotated import Annotated
from harl_tf.evaluation.datasets.photograph import of_size
from harl_tf.evaluation.dense.detection import Boxes


class Square(NamedTuple):
    """A photograph in the upper left of a square that is black otherwise.

    Attributes:
        pixels: ``(size, size, 3)`` uint8.
        boxes: Its true boxes, in pixels of the square.
        scale: The factor by which it was scaled.
        photograph: Its width and height.
    """

    pixels: np.ndarray
    boxes: Boxes
    scale: float
    photograph: tuple[float, float]

    def mirrored(self) -> "Square":
        """The square, its left side on the right."""
        left, top, right, bottom = self.boxes.corners.T
        size = self.pixels.shape[1]
        corners = np.stack([size - right, top, size - left, bottom], axis=1)
        boxes = self.boxes._replace(corners=corners)
        return self._replace(pixels=self.pixels[:, ::-1], boxes=boxes)

    def back(self, found: Boxes) -> Boxes:
        """Boxes of the square as boxes of the photograph, cut off at its edges."""
        corners = np.clip(found.corners / self.scale, 0, self.photograph * 2)
        return found._replace(corners=corners)


def square(each: Annotated, size: int) -> Square:
    """Scales a photograph until its longer side is ``size``.

    Args:
        each: The photograph and its boxes.
        size: Side of the square in pixels.

    Raises:
        ValueError: If it cannot be read or is not the one that was annotated.
    """
    image = of_size(each.path, *each.size)
    scale = size / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    pixels = np.zeros((size, size, 3), np.uint8)
    pixels[:height, :width] = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    boxes = each.boxes._replace(corners=np.clip(each.boxes.corners * scale, 0, size))
    return Square(pixels, boxes, scale, each.size)
