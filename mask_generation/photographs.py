"""Finding photographs in a folder and reading them, whatever their format.

Owns every judgement on an input file: which files are photographs, what they are called, and how
grey, transparent, CMYK, 16-bit, rotated and animated ones become 8-bit RGB. It computes no masks.
"""

import dataclasses
import io
import os
import pathlib
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = frozenset(
    ".avif .bmp .gif .jfif .jp2 .jpeg .jpg .pbm .pgm .png .ppm .tif .tiff .webp".split()
)
_JPEG_QUALITY = 95


class UnusablePhotograph(Exception):
    """A photograph cannot be used; the message is the reason, one line."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A photograph that was found.

    Attributes:
        path: Where it is.
        name: Its path relative to the searched folder, with forward slashes.
        label: Index of its class folder, or -1.
    """

    path: str
    name: str
    label: int


def find_photographs(folder: str | pathlib.Path) -> tuple[list[Source], tuple[str, ...]]:
    """Lists the photographs of a folder and of the folders in it, in the order of their names.

    If every photograph lies in a subfolder, the first-level subfolders are classes. If some lie at
    the top, the folder is flat and there are no labels.

    Args:
        folder: A folder; files whose ending is not that of an image are passed over.

    Returns:
        The photographs, and the class names in the order of their labels.

    Raises:
        FileNotFoundError: If there is no such folder or no photograph in it.

    Example:
        >>> find_photographs("no/such/folder")
        Traceback (most recent call last):
        FileNotFoundError: There is no folder no/such/folder.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    names = []
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for file in files:
            if pathlib.Path(file).suffix.lower() in SUFFIXES and not file.startswith("."):
                names.append((pathlib.Path(parent) / file).relative_to(folder).as_posix())
    if not names:
        endings = " ".join(sorted(SUFFIXES))
        raise FileNotFoundError(f"No photograph in {folder}: no file ends in {endings}.")
    names.sort()
    classes: tuple[str, ...] = ()
    if all("/" in name for name in names):
        classes = tuple(sorted({name.split("/")[0] for name in names}))
    labels = {name: index for index, name in enumerate(classes)}
    sources = [
        Source(str(folder / name), name, labels.get(name.split("/")[0], -1) if classes else -1)
        for name in names
    ]
    return sources, classes


def read_photograph(
    path: str | pathlib.Path, longest_side: int | None = None
) -> tuple[np.ndarray, bytes]:
    """Reads a photograph as upright 8-bit RGB.

    Transparent pixels become white, 16-bit values are scaled to 8, CMYK and palettes become RGB,
    the EXIF orientation is applied, of an animation the first frame counts.

    Args:
        path: An image file.
        longest_side: Shrink larger photographs to this longer side, in pixels. Default: keep.

    Returns:
        The pixels, uint8 ``(height, width, 3)``, and the same as JPEG bytes: the file's own where
        it is an upright RGB JPEG already, else encoded anew at quality 95.

    Raises:
        UnusablePhotograph: If the file cannot be read as an image.
    """
    try:
        data = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise UnusablePhotograph(f"cannot be opened: {error.strerror}") from error
    if not data:
        raise UnusablePhotograph("empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
            image.load()
            keep_bytes = image.format == "JPEG" and image.mode == "RGB" and _is_upright(image)
            image = _to_rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        raise UnusablePhotograph("not an image") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UnusablePhotograph(f"more than {Image.MAX_IMAGE_PIXELS} pixels") from error
    except UnusablePhotograph:
        raise
    except Exception as error:  # decoders of broken files raise about anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnusablePhotograph(f"damaged: {reason}") from error
    if longest_side is not None and max(image.size) > longest_side:
        image.thumbnail((longest_side, longest_side), Image.Resampling.BICUBIC)
        keep_bytes = False
    if not keep_bytes:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
        data = buffer.getvalue()
        image = Image.open(io.BytesIO(data))
    return np.asarray(image), data


def _is_upright(image: Image.Image) -> bool:
    return image.getexif().get(0x0112, 1) == 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise UnusablePhotograph("floating-point pixels have no agreed white; convert it first")
    if image.mode == "I" or image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise UnusablePhotograph("32-bit pixels have no agreed white; convert it first")
        return Image.fromarray((values // 257).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")
