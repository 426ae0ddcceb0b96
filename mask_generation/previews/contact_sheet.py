"""Drawing photographs with their masks, individually or many on one sheet.

Owns how a mask, a saliency map and a caption look in pixels. Does not own which photographs are
drawn (``mask_generation.previews.pictures``) nor files (``mask_generation.previews.preview``).
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from skimage.segmentation import find_boundaries

from mask_generation.inputs.file_names import printable
from mask_generation.previews.pictures import Picture

_OUTLINE = (255, 64, 0)
_INK = (40, 40, 40)
_FLAGGED = (190, 30, 20)
_GAP = 4
_CELL_GAP = 12
_FONT_SIZE = 13
_CAPTION = 20


def draw_sheet(pictures: Sequence[Picture], tile: int = 160) -> Image.Image:
    """Draws photograph, saliency and mask side by side with a caption, many on one sheet.

    Args:
        pictures: At least one; drawn row by row in this order. If a picture has no saliency, its
            place stays empty; if none has, there is no place for it.
        tile: Side of a picture in pixels. Default: 160.

    Returns:
        An RGB image, about as wide as high.

    Raises:
        ValueError: If there is no picture or ``tile`` is less than 16.

    Example:
        >>> image, mask = np.zeros((4, 8, 3), np.uint8), np.ones((4, 8), np.uint8)
        >>> from mask_generation.previews.pictures import Numbers
        >>> picture = Picture("cat.jpg", Numbers(0, 0.9, 1.0, ""), image, mask, None)
        >>> draw_sheet([picture], tile=32).size
        (92, 76)
    """
    if not pictures or tile < 16:
        raise ValueError(
            f"Expected at least one picture and tile ≥ 16. Received: {len(pictures)} and {tile}."
        )
    with_saliency = any(picture.saliency is not None for picture in pictures)
    width = (3 if with_saliency else 2) * (tile + _GAP) - _GAP + _CELL_GAP
    height = tile + _CAPTION + _CELL_GAP
    columns = min(len(pictures), max(1, round(math.sqrt(len(pictures) * height / width))))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width + _CELL_GAP, rows * height + _CELL_GAP), "white")
    for position, picture in enumerate(pictures):
        left = _CELL_GAP + position % columns * width
        top = _CELL_GAP + position // columns * height
        for place, drawn in enumerate(_tiles(picture, tile, with_saliency)):
            sheet.paste(drawn, (left + place * (tile + _GAP), top))
        _write_caption(sheet, picture, left, top + tile + 2, width - _CELL_GAP)
    return sheet


def draw_image(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """An image resized to this longer side.

    Args:
        image: ``(height, width, 3)`` uint8.
        size: Longer side of the result in pixels; smaller images are enlarged.

    Returns:
        ``(h, w, 3)`` uint8 of the same proportions.

    Example:
        >>> draw_image(np.zeros((4, 8, 3), np.uint8), 16).shape
        (8, 16, 3)
    """
    return _resized(image, size, Image.Resampling.BICUBIC)


def draw_saliency(saliency: NDArray[np.floating], size: int) -> NDArray[np.uint8]:
    """A saliency map in gray, 0 = black, 1 = white, resized to this longer side.

    Args:
        saliency: ``(height, width)`` in [0, 1].
        size: Longer side of the result in pixels.

    Returns:
        ``(h, w, 3)`` uint8.

    Example:
        >>> draw_saliency(np.array([[0.0, 1.0]]), 2)[0, :, 0].tolist()
        [0, 255]
    """
    gray = np.round(np.clip(saliency, 0, 1) * 255).astype(np.uint8)
    return np.repeat(_resized(gray, size, Image.Resampling.BILINEAR)[..., None], 3, axis=-1)


def draw_outline(image: NDArray[np.uint8], mask: NDArray, size: int) -> NDArray[np.uint8]:
    """An image with its background dimmed and its foreground outlined.

    Args:
        image: ``(height, width, 3)`` uint8.
        mask: ``(height, width)`` uint8, non-zero = foreground.
        size: Longer side of the result in pixels.

    Returns:
        ``(h, w, 3)`` uint8 of the same proportions.

    Example:
        >>> drawn = draw_outline(np.zeros((4, 8, 3), np.uint8), np.zeros((4, 8), np.uint8), 8)
        >>> drawn[0, 0].tolist()
        [63, 63, 63]
    """
    picture = draw_image(image, size).copy()
    region = _resized((mask != 0).astype(np.uint8), size, Image.Resampling.NEAREST) > 0
    picture[~region] = (picture[~region] * 0.35 + 255 * 0.25).astype(np.uint8)
    picture[find_boundaries(region, mode="inner")] = _OUTLINE
    return picture


def draw_mask(image: NDArray[np.uint8], mask: NDArray, size: int) -> NDArray[np.uint8]:
    """An image with its background dimmed and its foreground outlined, on a white square.

    Args:
        image: ``(height, width, 3)`` uint8.
        mask: ``(height, width)`` uint8, non-zero = foreground.
        size: Side of the result in pixels.

    Returns:
        ``(size, size, 3)`` uint8.

    Example:
        >>> draw_mask(np.full((4, 8, 3), 200, np.uint8), np.ones((4, 8), np.uint8), 16).shape
        (16, 16, 3)
    """
    return _on_square(draw_outline(image, mask, size), size)


def _tiles(picture: Picture, tile: int, with_saliency: bool) -> list[Image.Image]:
    squares = [_on_square(draw_image(picture.image, tile), tile)]
    if picture.saliency is not None:
        squares.append(_on_square(draw_saliency(picture.saliency, tile), tile))
    elif with_saliency:
        squares.append(np.full((tile, tile, 3), 255, np.uint8))
    squares.append(draw_mask(picture.image, picture.mask, tile))
    return [Image.fromarray(square) for square in squares]


def _write_caption(sheet: Image.Image, picture: Picture, left: int, top: int, width: int) -> None:
    """Writes name, quality, share and flag in one line; long names are cut at the start."""
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT_SIZE)
    numbers = picture.numbers
    words = f"  q {numbers.quality:.2f}  fg {100 * numbers.share:.0f} %"
    flag = f"  {numbers.flag}" if numbers.flag else ""
    name = printable(picture.name)
    while draw.textlength(name + words + flag, font) > width and len(name) > 4:
        name = "…" + name[2:]
    draw.text((left, top), name + words, _INK, font)
    draw.text((left + draw.textlength(name + words, font), top), flag, _FLAGGED, font)


def _resized(values: NDArray[np.uint8], size: int, how: Image.Resampling) -> NDArray[np.uint8]:
    height, width = values.shape[:2]
    scale = size / max(height, width)
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(values).resize(shape, how))


def _on_square(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    square = np.full((size, size, 3), 255, np.uint8)
    top, left = (size - picture.shape[0]) // 2, (size - picture.shape[1]) // 2
    square[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return square
