"""What a mask file means: which of its pixels are foreground, and which say nothing.

Owns the one reading of mask files for all commands: formats and bit depths, palettes and
transparency, gray masks and labels, void pixels and orientation. Does not own which file belongs to
which photograph, nor the size a mask must have.
"""

import dataclasses
import io
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mask_generation.inputs.formats.exif import orientation_of, turned
from mask_generation.inputs.formats.jpeg_cut import is_cut_off
from mask_generation.inputs.formats.jpeg_end import structure
from mask_generation.inputs.formats.png_chunks import without_metadata
from mask_generation.inputs.reading import (
    LARGEST_PIXELS,
    UnusableImageError,
    check_file_size,
    open_image,
)
from mask_generation.inputs.reading import orientation as read_orientation
from mask_generation.reason import reason_of
from mask_generation.workers import NO_MEMORY, is_out_of_memory

_Bools = NDArray[np.bool_]

NPZ_KEY = "foreground"
"""Name of the array in an ``.npz`` file."""
VOID = 255
"""Label of pixels that are neither, as in PASCAL VOC, in a mask that also holds other labels."""

# Masks of up to this many times the largest photograph's sides are read at a fraction.
_LARGEST_FACTOR = 2
# A value belongs to a label if this share of its pixels has the same value to the right and below:
# labels fill areas, whereas grays of a compressed or predicted mask change from pixel to pixel.
_AREA = 0.2
# Matting trimaps mark pixels that may be either by a gray in the middle.
_UNKNOWN = (127, 128)
# Weights of red, green and blue in the gray that TensorFlow decodes a palette to, in thousandths,
# rounded down.
_GRAY = (299, 587, 114)


class UnusableMaskError(UnusableImageError):
    """A photograph has no mask, or one that cannot be used; the message is one line."""


@dataclasses.dataclass(frozen=True, eq=False)
class MaskPixels:
    """What a mask file says of each pixel.

    Attributes:
        foreground: ``(height, width)`` bool; False where the file says nothing.
        void: ``(height, width)`` bool, True where the file says nothing; None if it says all.
        assumption: How the file was read, in words, if it could have been read otherwise; or empty.
    """

    foreground: _Bools
    void: _Bools | None = None
    assumption: str = ""

    @property
    def known(self) -> _Bools:
        """``(height, width)`` bool, True where the file says what a pixel is."""
        return np.ones_like(self.foreground) if self.void is None else ~self.void


def decode_file(
    name: str, data: bytes, values: tuple[int, ...] = (), orientation: int = 1
) -> MaskPixels:
    """Reads a mask from the bytes of a file: an image, or ``.npz`` with the array ``foreground``.

    Args:
        name: The file's name.
        data: Its bytes.
        values: The values that are foreground. Default: decide by content.
        orientation: EXIF orientation of the photograph, as for ``decode_mask``.

    Returns:
        The mask.

    Raises:
        UnusableMaskError: If the bytes cannot be read as a mask.

    Example:
        >>> file = io.BytesIO()
        >>> np.savez(file, foreground=np.array([[0, 1]]))
        >>> decode_file("a.npz", file.getvalue()).foreground.tolist()
        [[False, True]]
    """
    if name.lower().endswith(".npz"):
        return decode_array(_array(data), values)
    return decode_mask(data, values, orientation)


def decode_mask(
    data: bytes,
    values: tuple[int, ...] = (),
    orientation: int = 1,
    palette_by_index: bool = True,
) -> MaskPixels:
    """Reads a mask from the bytes of an image file.

    With ``values``, pixels with one of these values are foreground. Otherwise the file's content
    decides, in this order:

    - an image of one color whose transparency varies: opaque pixels are foreground;
    - at most two values: all but 0 is foreground;
    - labels, values that fill areas: all but 0 is foreground, 255 is void, and so is a gray of 127
      or 128 between 0 and 255; without any 0, the file does not tell the background and is refused;
    - grays, as in a mask that was a JPEG or a prediction: the upper half is foreground.

    Palette images are read by their colors if these are grays and as labels by their indices if
    not; in a color image, a pixel's largest channel counts. Values of less than 8 bits are spread
    over 0 to 255, as TensorFlow and Pillow show them.

    Args:
        data: The bytes of an image file.
        values: The values that are foreground. Default: decide by content.
        orientation: EXIF orientation of the photograph, for a mask that is stored as the photograph
            is; a mask with an orientation of its own is turned by that. Default: 1, upright.
        palette_by_index: Whether a palette of colors counts by its indices, as annotation tools
            mean it, or as the gray that TensorFlow Datasets shows. Default: by index.

    Returns:
        The upright mask.

    Raises:
        UnusableMaskError: If the bytes cannot be read as a mask.

    Example:
        >>> file = io.BytesIO()
        >>> Image.fromarray(np.array([[0, 255]], np.uint8)).save(file, "PNG")
        >>> decode_mask(file.getvalue()).foreground.tolist()
        [[False, True]]
    """
    data = without_metadata(data)
    image = _open(data)
    own = orientation_of(image)
    image = turned(image, orientation if own == 1 else own)
    alpha = _alpha(image)
    pixels = _values(image, palette_by_index)
    if values:
        return MaskPixels(np.isin(pixels, values))
    if alpha is not None and np.ptp(pixels) == 0 and np.ptp(alpha) > 0:
        return dataclasses.replace(_binary(alpha), assumption="transparency is the mask")
    return _binary(pixels)


def decode_array(array: NDArray[Any], values: tuple[int, ...] = ()) -> MaskPixels:
    """Reads a mask from an array of numbers, by the same rules.

    Args:
        array: ``(height, width)`` or ``(height, width, 1)``, bool, integers or floats.
        values: The values that are foreground. Default: decide by content.

    Returns:
        The mask.

    Raises:
        UnusableMaskError: If the array is something else or holds numbers that are not finite.

    Example:
        >>> decode_array(np.array([[0.1, 0.2, 0.9]])).foreground.tolist()
        [[False, False, True]]
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "biuf":
        raise UnusableMaskError(
            f"its mask is {array.dtype} of shape {array.shape}, not numbers (height, width)"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UnusableMaskError("its mask has values that are not finite")
    return MaskPixels(np.isin(array, values)) if values else _binary(array)


def turned_to_fit(
    read: Callable[[int], MaskPixels],
    fits: Callable[[tuple[int, ...]], bool],
    photograph: Callable[[], bytes],
) -> MaskPixels:
    """A mask as it is, or turned as its photograph is if it fits that only then.

    Args:
        read: Reads the mask for an orientation of the photograph, as ``decode_mask`` does.
        fits: Whether a mask of this shape fits the upright photograph.
        photograph: Reads the photograph's file; called only if the mask does not fit as it is.

    Returns:
        The mask, as it is if it fits neither way.

    Example:
        >>> wide = MaskPixels(np.zeros((2, 3), bool))
        >>> mask = turned_to_fit(lambda turned: wide, (2, 3).__eq__, bytes)
        >>> mask is wide
        True
    """
    mask = read(1)
    if fits(mask.foreground.shape):
        return mask
    turned = read(read_orientation(photograph()))
    return turned if fits(turned.foreground.shape) else mask


def _array(data: bytes) -> NDArray[np.generic]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            # Zeros are compressed to a thousandth: a small file may hold gigabytes.
            check_file_size(arrays.zip.getinfo(f"{NPZ_KEY}.npy").file_size)
            return arrays[NPZ_KEY]
    except UnusableImageError as error:
        raise UnusableMaskError(f"its mask unpacks to {error}") from error
    except KeyError as error:
        raise UnusableMaskError(f"its mask has no array {NPZ_KEY!r}") from error
    except Exception as error:  # a broken zip raises almost anything
        if is_out_of_memory(error):
            raise UnusableMaskError(f"its mask {NO_MEMORY}") from error
        raise UnusableMaskError(f"its mask is damaged: {reason_of(error)}") from error


def _open(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = open_image(data)
            factor = math.ceil(math.sqrt(image.width * image.height / LARGEST_PIXELS))
            if factor > _LARGEST_FACTOR:
                largest = _LARGEST_FACTOR**2 * LARGEST_PIXELS
                raise UnusableMaskError(f"its mask has more than {largest:,} pixels")
            image.load()
            if is_cut_off(data, structure(data), image):
                raise UnusableMaskError("its mask is damaged: cut off, though it has an end marker")
            if factor == 1:
                return image
            # As the photograph of its size, which is decoded at a fraction, too.
            size = image.width // factor, image.height // factor
            return image.resize(size, Image.Resampling.NEAREST)
    except UnusableMaskError:
        raise
    except UnidentifiedImageError as error:
        raise UnusableMaskError("its mask is not an image") from error
    except Exception as error:  # decoding a broken file raises almost anything
        if is_out_of_memory(error):
            raise UnusableMaskError(f"its mask {NO_MEMORY}") from error
        raise UnusableMaskError(f"its mask is damaged: {reason_of(error)}") from error


def _alpha(image: Image.Image) -> NDArray[np.uint8] | None:
    if "A" in image.getbands():
        return np.asarray(image.getchannel("A"))
    if "transparency" in image.info and image.mode in ("L", "RGB", "P"):
        return np.asarray(image.convert("RGBA").getchannel("A"))
    return None


def _values(image: Image.Image, by_index: bool) -> NDArray[Any]:
    """One number per pixel."""
    if image.mode == "1":
        return np.asarray(image.convert("L"))
    if image.mode in ("P", "PA"):
        colors = np.asarray(image.convert("RGB"))
        if by_index and not _is_gray(colors):
            return np.asarray(image.getchannel("P") if image.mode == "PA" else image)
        return (colors.astype(np.int64) @ _GRAY // 1000).astype(np.uint8)
    pixels = np.asarray(image)
    if pixels.ndim == 3:
        bands = [index for index, band in enumerate(image.getbands()) if band != "A"]
        return pixels[..., bands].max(axis=-1)
    return pixels


def _is_gray(colors: NDArray[np.uint8]) -> bool:
    return bool((colors == colors[..., :1]).all())


def _binary(values: NDArray[Any]) -> MaskPixels:
    found = np.unique(values)
    if len(found) <= 2:
        if len(found) == 2 and found[0] != 0:
            _refuse_without_background(found)
        return MaskPixels(np.not_equal(values, 0))
    if values.dtype.kind == "f" or not _are_labels(values, found):
        half = _half(values)
        return MaskPixels(values >= half, assumption=f"many grays: {half:g} and more is foreground")
    if found[0] != 0:
        _refuse_without_background(found)
    inner = found[(found != 0) & (found != VOID)]
    if found[-1] == VOID and set(inner.tolist()) <= set(_UNKNOWN):
        void, word = np.isin(values, _UNKNOWN), f"{inner[0]} is void"
    elif found[-1] == VOID:
        void, word = values == VOID, f"{VOID} is void"
    else:
        void, word = None, ""
    foreground = np.not_equal(values, 0) if void is None else np.not_equal(values, 0) & ~void
    return MaskPixels(foreground, void, "labels: all but 0 is foreground" + (word and f", {word}"))


def _half(values: NDArray[Any]) -> float:
    """Half of the range that such values have."""
    if values.dtype.kind == "f":
        return 0.5 if values.max() <= 1 else 127.5
    return 128 if values.max() <= 255 else 32768


def _are_labels(values: NDArray[Any], found: NDArray[Any]) -> bool:
    """Whether values between the smallest and the largest fill areas, most of them."""
    here = values[:-1, :-1]
    alike = (here == values[:-1, 1:]) & (here == values[1:, :-1])
    present, index = np.unique(here, return_inverse=True)
    shares = np.bincount(index.ravel(), alike.ravel()) / np.bincount(index.ravel())
    between = (present != found[0]) & (present != VOID)
    return bool(np.median(shares[between]) >= _AREA) if between.any() else True


def _refuse_without_background(found: NDArray[Any]) -> None:
    some = ", ".join(map(str, found[:4].tolist())) + (", …" if len(found) > 4 else "")
    raise UnusableMaskError(
        f"its mask has the values {some} and no 0, so which are foreground? Say so: --masks …="
        f"{found[0]}"
    )
