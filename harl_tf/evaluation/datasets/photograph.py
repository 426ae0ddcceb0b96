"""A photograph of any kind as RGB, as it is stored or upright."""

import pathlib

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I")


def opened(path: pathlib.Path) -> Image.Image:
    """The image in a file, read to its end.

    Args:
        path: The file.

    Raises:
        ValueError: If it cannot be read.

    Example:
        >>> opened(pathlib.Path("no/such.png"))
        Traceback (most recent call last):
        ValueError: no/such.png cannot be read as an image: ...
    """
    try:
        image = Image.open(path)
        image.load()
    except (
        OSError,
        SyntaxError,
        UnidentifiedImageError,
        Image.DecompressionBombError,
    ) as error:
        raise ValueError(f"{path} cannot be read as an image: {error}.") from error
    return image


def rgb(image: Image.Image) -> Image.Image:
    """Three channels of 8 bits: gray of 16 bits is scaled, what is transparent becomes white.

    Example:
        >>> rgb(Image.new("RGBA", (1, 1), (0, 0, 0, 0))).getpixel((0, 0))
        (255, 255, 255)
        >>> rgb(Image.fromarray(np.full((1, 1), 32896, np.uint16))).getpixel((0, 0))
        (128, 128, 128)
    """
    if image.mode in _SIXTEEN_BITS:
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def of_size(path: pathlib.Path, width: float, height: float) -> Image.Image:
    """A photograph as its annotations see it: as stored, or turned by its EXIF orientation.

    Args:
        path: The file.
        width: Of the photograph that was annotated.
        height: Likewise.

    Raises:
        ValueError: If it cannot be read or has another size either way.
    """
    image = opened(path)
    stored = image.size
    for each in (image, ImageOps.exif_transpose(image)):
        if each.size == (width, height):
            return rgb(each)
    raise ValueError(
        f"Expected {path} to have the {width:g}×{height:g} pixels that its boxes were drawn on. "
        f"Received: {stored[0]}×{stored[1]}."
    )
