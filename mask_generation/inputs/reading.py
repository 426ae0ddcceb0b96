"""Reading photographs, whatever their format.

Owns how gray, transparent, CMYK, Lab, 16-bit, rotated and animated images become 8-bit RGB, and how
large an image may be, so that it cannot exhaust memory. Which files are photographs is decided in
``mask_generation.inputs.folder``. It computes no masks.
"""

import errno
import io
import os
import pathlib
import stat
import warnings

import numpy as np
from PIL import Image, JpegImagePlugin, TiffImagePlugin, UnidentifiedImageError

from mask_generation.inputs.formats.color_profile import to_srgb
from mask_generation.inputs.formats.exif import orientation_of, turned
from mask_generation.inputs.formats.jpeg_cut import is_cut_off
from mask_generation.inputs.formats.jpeg_end import structure
from mask_generation.inputs.formats.png_chunks import without_metadata
from mask_generation.inputs.not_photographs import is_our_sheet
from mask_generation.reason import reason_of
from mask_generation.workers import NO_MEMORY, is_out_of_memory

LARGEST_PIXELS = 2**25
"""Largest number of pixels to decode (33.6 million). A worker needs up to a hundred bytes a pixel,
most of them for the maps of a mask method, so no photograph takes more than about 3.3 GB."""
LARGEST_FILE = 2**28
"""Largest file to read, in bytes (256 MiB)."""
_JPEG_QUALITY = 95
_JPEG_LARGEST_SIDE = 65500
_SUBFILE, _PHOTOMETRIC = 254, 262  # tags of TIFF


class UnusableImageError(Exception):
    """A photograph cannot be used; the message is the reason, one line."""


class UnreachableError(Exception):
    """No photograph can be read for now, because of a disk, a share or this process."""


# Of a network share or disk that is gone, and of a process or system with too many open files.
_OF_NO_PHOTOGRAPH = frozenset(
    getattr(errno, name)
    for name in (
        *("ESTALE", "ENOTCONN", "EHOSTDOWN", "EHOSTUNREACH", "ETIMEDOUT", "ENETDOWN"),
        *("ENETUNREACH", "ENODEV", "ENXIO", "EREMOTEIO", "EMFILE", "ENFILE"),
    )
    if hasattr(errno, name)  # not on every system
)


def read_image(
    path: str | pathlib.Path, longest_side: int | None = None
) -> tuple[np.ndarray, bytes]:
    """Reads the photograph in a file; see ``decode_image``.

    Args:
        path: An image file.
        longest_side: Shrink larger photographs to this longer side, in pixels. Default: keep.

    Returns:
        The pixels, uint8 ``(height, width, 3)``, and the same as JPEG bytes.

    Raises:
        UnusableImageError: If the file cannot be read as an image.
    """
    return decode_image(read_file(pathlib.Path(path)), longest_side)


def decode_image(data: bytes, longest_side: int | None = None) -> tuple[np.ndarray, bytes]:
    """Decodes a photograph as upright 8-bit RGB.

    Transparent pixels become white, 16-bit values are scaled to 8 bits, CMYK, Lab and palette
    images become RGB, colors of another profile become sRGB's, the EXIF orientation is applied, and
    the first frame of an animation is used, of a TIFF the first that is not a reduced copy.
    Metadata never refuses a photograph; a JPEG that was cut off is refused even if an end marker
    was added to it. A JPEG with more than ``LARGEST_PIXELS`` is decoded at a
    half, a quarter or an eighth of its size; other images that large, including progressive JPEGs,
    are refused before decoding.

    Args:
        data: The bytes of an image file.
        longest_side: Shrink larger photographs to this longer side, in pixels. Default: keep.

    Returns:
        The pixels, uint8 ``(height, width, 3)``, and the same image as JPEG bytes: those of
        ``data``, without what follows the image, if it is a whole upright sRGB JPEG of a kind that
        every decoder reads, otherwise re-encoded at quality 95.

    Raises:
        UnusableImageError: If the bytes cannot be read as an image.
    """
    if is_our_sheet(data):
        raise UnusableImageError("no photograph, but a contact sheet of mask_generation")
    image, kept = _decode(without_metadata(data))
    if longest_side is not None and max(image.size) > longest_side:
        image.thumbnail((longest_side, longest_side), Image.Resampling.BICUBIC)
        kept = None
    if max(image.size) > _JPEG_LARGEST_SIDE:
        size = f"{image.width}×{image.height} px"
        raise UnusableImageError(f"{size}: a JPEG has at most {_JPEG_LARGEST_SIDE} on a side")
    if kept is None:
        buffer = io.BytesIO()
        image.info.pop("comment", None)  # Pillow would write it, and it may be too long
        image.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
        kept = buffer.getvalue()
        image = Image.open(io.BytesIO(kept))
    return np.asarray(image), kept


def read_file(path: pathlib.Path) -> bytes:
    """The bytes of a photograph or mask.

    Raises:
        UnusableImageError: If it cannot be read, is empty or larger than ``LARGEST_FILE``.
        UnreachableError: If that is no fault of this file.
    """
    try:
        status = path.stat()
        # Reading a pipe or device named .jpg would never end.
        if not stat.S_ISREG(status.st_mode):
            raise UnusableImageError("not a file")
        check_file_size(status.st_size)
        return path.read_bytes()
    except OSError as error:
        check_reachable(path, error)
        raise UnusableImageError(f"cannot be opened: {error.strerror or error}") from error


def check_reachable(path: str | pathlib.Path, error: OSError) -> None:
    """Refuses to blame a photograph for a disk or share that is gone.

    Args:
        path: The file that could not be read.
        error: Why.

    Raises:
        UnreachableError: If others cannot be read either.

    Example:
        >>> check_reachable("no/such/a.jpg", FileNotFoundError(errno.ENOENT, "No such file"))
        >>> check_reachable("share/a.jpg", OSError(errno.ESTALE, "Stale file handle"))
        Traceback (most recent call last):
        mask_generation.inputs.reading.UnreachableError: share/a.jpg cannot be read: Stale ...
    """
    gone = error.errno in _OF_NO_PHOTOGRAPH
    if error.errno == errno.EIO:  # of one damaged file, or of a disk that was pulled out
        try:
            os.listdir(os.path.dirname(path) or ".")
        except OSError:
            gone = True
    if gone:
        reason = error.strerror or type(error).__name__
        raise UnreachableError(f"{path} cannot be read: {reason}.") from error


def check_file_size(size: int) -> None:
    """Refuses an empty file, one larger than ``LARGEST_FILE``, and what a damaged tar may say.

    Example:
        >>> check_file_size(0)
        Traceback (most recent call last):
        mask_generation.inputs.reading.UnusableImageError: empty file
    """
    if size == 0:
        raise UnusableImageError("empty file")
    if size < 0:
        raise UnusableImageError(f"a size of {size} bytes")
    if size > LARGEST_FILE:
        raise UnusableImageError(f"{size:,} bytes: more than {LARGEST_FILE:,} are not read")


def _decode(data: bytes) -> tuple[Image.Image, bytes | None]:
    """An upright sRGB image, and its bytes if they already are a JPEG of that."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata that changes no pixels
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = open_image(data)
            _skip_reduced_copies(image)
            # Of several photographs in one file, as telephones write it, the first is an own JPEG.
            is_plain = image.format in ("JPEG", "MPO") and image.mode == "RGB"
            if image.width * image.height > LARGEST_PIXELS:
                _decode_smaller(image)
                is_plain = False
            image.load()
            # Not before: of a PNG, it decodes the image, and its errors would go unnoticed.
            turn = orientation_of(image)
            markers = structure(data)  # none if it is no JPEG
            if is_cut_off(data, markers, image):
                raise UnusableImageError("damaged: cut off, though it has an end marker")
            converted = to_srgb(image)
            image = turned(to_rgb(converted or image), turn)
            kept = is_plain and turn == 1 and markers.is_common and converted is None
            return image, data[: markers.end] if kept and markers.end else None
    except UnidentifiedImageError as error:
        raise UnusableImageError("not an image") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UnusableImageError(f"more than {LARGEST_PIXELS:,} pixels") from error
    except UnusableImageError:
        raise
    except Exception as error:  # decoding a broken file raises almost anything
        if is_out_of_memory(error):
            raise UnusableImageError(NO_MEMORY) from error
        raise UnusableImageError(f"damaged: {reason_of(error)}") from error


def open_image(data: bytes) -> Image.Image:
    """Reads the header of an image; a JPEG may have any number of pixels.

    Raises:
        DecompressionBombError: Pillow's error or warning for other images with too many pixels.
    """
    try:
        return Image.open(io.BytesIO(data))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        if not data.startswith(b"\xff\xd8"):
            raise
        return JpegImagePlugin.JpegImageFile(io.BytesIO(data))


def orientation(data: bytes) -> int:
    """The EXIF orientation of an image, 1 to 8; 1, upright, if it has none or cannot be read.

    Example:
        >>> orientation(b"no image")
        1
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return orientation_of(open_image(data))
    except Exception:  # reading a broken file raises almost anything
        return 1


def _skip_reduced_copies(image: Image.Image) -> None:
    """Goes to the first frame of a TIFF that is not a reduced copy of another."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    for frame in range(image.n_frames):
        image.seek(frame)
        if not int(image.tag_v2.get(_SUBFILE, 0)) & 1:
            return
    image.seek(0)


def _decode_smaller(image: Image.Image) -> None:
    """Makes Pillow decode a large JPEG at a fraction of its size, or refuses the image."""
    size = f"{image.width}×{image.height} px"
    # A progressive JPEG is held in memory as a whole during decoding, whatever the fraction.
    if isinstance(image, JpegImagePlugin.JpegImageFile) and "progressive" not in image.info:
        for factor in (2, 4, 8):
            if image.width * image.height <= factor**2 * LARGEST_PIXELS:
                image.draft(None, (image.width // factor, image.height // factor))
                return
    raise UnusableImageError(f"{size}: more than {LARGEST_PIXELS:,} pixels")


def to_rgb(image: Image.Image) -> Image.Image:
    """Three channels of 8 bits: gray of 16 bits is scaled, what is transparent becomes white.

    Raises:
        UnusableImageError: If it has no agreed white.

    Example:
        >>> to_rgb(Image.new("RGBA", (1, 1), (0, 0, 0, 0))).getpixel((0, 0))
        (255, 255, 255)
        >>> to_rgb(Image.fromarray(np.full((1, 1), 32896, np.uint16))).getpixel((0, 0))
        (128, 128, 128)
    """
    if image.mode == "F":
        raise UnusableImageError("floating-point pixels have no agreed white; convert it first")
    if image.mode == "I" or image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise UnusableImageError("32-bit pixels have no agreed white; convert it first")
        if _is_negative(image):
            values = 65535 - values
        return Image.fromarray((values // 257).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _is_negative(image: Image.Image) -> bool:
    """Whether 0 is white, which Pillow undoes for 8 bits only."""
    return isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(_PHOTOMETRIC) == 0
