"""Finding photographs in a folder and reading them, whatever their format.

Owns every judgement on an input file: which files are photographs, what they are called, and how
grey, transparent, CMYK, 16-bit, rotated and animated ones become 8-bit RGB. It computes no masks.
"""

import dataclasses
import io
import os
import pathlib
import stat
import warnings
from typing import NoReturn

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = frozenset(
    ".avif .bmp .gif .jfif .jp2 .jpeg .jpg .pbm .pgm .png .ppm .tif .tiff .webp".split()  # noqa: SIM905
)
_JPEG_QUALITY = 95
_JPEG_LARGEST_SIDE = 65500


class UnusablePhotographError(Exception):
    """A photograph cannot be used; the message is the reason, one line."""


@dataclasses.dataclass(frozen=True)
class Source:
    r"""A photograph that was found.

    Attributes:
        path: Where it is.
        name: Its path relative to the searched folder, with forward slashes; bytes that are not
            UTF-8 are written as ``\xff``.
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
        folder: A folder; files whose ending is not that of an image, hidden files, hidden folders
            and links to folders are passed over.

    Returns:
        The photographs, and the class names in the order of their labels.

    Raises:
        FileNotFoundError: If there is no such folder or no photograph in it.
        OSError: If a folder cannot be listed.

    Example:
        >>> find_photographs("no/such/folder")
        Traceback (most recent call last):
        FileNotFoundError: There is no folder no/such/folder.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    paths = {}
    for parent, folders, files in os.walk(folder, onerror=_cannot_list):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for file in files:
            if pathlib.Path(file).suffix.lower() in SUFFIXES and not file.startswith("."):
                path = pathlib.Path(parent) / file
                paths[_as_text(path.relative_to(folder).as_posix())] = str(path)
    if not paths:
        endings = " ".join(sorted(SUFFIXES))
        raise FileNotFoundError(f"No photograph in {folder}: no file ends in {endings}.")
    names = sorted(paths)
    classes: tuple[str, ...] = ()
    if all("/" in name for name in names):
        classes = tuple(sorted({name.split("/")[0] for name in names}))
    labels = {name: index for index, name in enumerate(classes)}
    sources = [Source(paths[name], name, labels.get(name.split("/")[0], -1)) for name in names]
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
        UnusablePhotographError: If the file cannot be read as an image.
    """
    data = _read_bytes(pathlib.Path(path))
    image, keep_bytes = _decode(data)
    if longest_side is not None and max(image.size) > longest_side:
        image.thumbnail((longest_side, longest_side), Image.Resampling.BICUBIC)
        keep_bytes = False
    if max(image.size) > _JPEG_LARGEST_SIDE:
        size = f"{image.width}×{image.height} px"
        raise UnusablePhotographError(f"{size}: a JPEG has at most {_JPEG_LARGEST_SIDE} on a side")
    if not keep_bytes:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
        data = buffer.getvalue()
        image = Image.open(io.BytesIO(data))
    return np.asarray(image), data


def _cannot_list(error: OSError) -> NoReturn:
    reason = error.strerror or type(error).__name__
    raise OSError(f"Folder {error.filename} cannot be listed: {reason}.") from error


def _as_text(name: str) -> str:
    """A file name that can be encoded as UTF-8, whatever bytes the file system holds."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _read_bytes(path: pathlib.Path) -> bytes:
    try:
        # Reading a pipe or a device called .jpg would never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnusablePhotographError("not a file")
        data = path.read_bytes()
    except OSError as error:
        raise UnusablePhotographError(f"cannot be opened: {error.strerror or error}") from error
    if not data:
        raise UnusablePhotographError("empty file")
    return data


def _decode(data: bytes) -> tuple[Image.Image, bool]:
    """An upright RGB image, and whether the bytes were one already, as JPEG."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # oddities in metadata that change no pixel
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
            image.load()
            keep_bytes = image.format == "JPEG" and image.mode == "RGB" and _is_upright(image)
            return _to_rgb(ImageOps.exif_transpose(image)), keep_bytes
    except UnidentifiedImageError as error:
        raise UnusablePhotographError("not an image") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UnusablePhotographError(f"more than {Image.MAX_IMAGE_PIXELS} pixels") from error
    except UnusablePhotographError:
        raise
    except Exception as error:  # decoders of broken files raise about anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnusablePhotographError(f"damaged: {reason}") from error


def _is_upright(image: Image.Image) -> bool:
    return image.getexif().get(0x0112, 1) == 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise UnusablePhotographError(
            "floating-point pixels have no agreed white; convert it first"
        )
    if image.mode == "I" or image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise UnusablePhotographError("32-bit pixels have no agreed white; convert it first")
        return Image.fromarray((values // 257).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")
