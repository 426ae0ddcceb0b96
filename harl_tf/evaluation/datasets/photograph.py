"""A photograph of any kind as RGB, as it is stored or upright."""

import pathlib

from PIL import Image, UnidentifiedImageError

from mask_generation.inputs.formats.exif import orientation_of, turned
from mask_generation.inputs.reading import UnusableImageError, to_rgb


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


def rgb(image: Image.Image, path: pathlib.Path) -> Image.Image:
    """Three channels of 8 bits: gray of 16 bits is scaled, what is transparent becomes white.

    Args:
        image: The image.
        path: Where it is from, for messages.

    Raises:
        ValueError: If it has no agreed white.

    Example:
        >>> rgb(Image.new("RGBA", (1, 1), (0, 0, 0, 0)), pathlib.Path("a.png")).getpixel((0, 0))
        (255, 255, 255)
    """
    try:
        return to_rgb(image)
    except UnusableImageError as error:
        raise ValueError(f"{path} cannot be used: {error}.") from error


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
    for each in (image, turned(image, orientation_of(image))):
        if each.size == (width, height):
            return rgb(each, path)
    raise ValueError(
        f"Expected {path} to have the {width:g}×{height:g} pixels that its boxes were drawn on. "
        f"Received: {stored[0]}×{stored[1]}."
    )
