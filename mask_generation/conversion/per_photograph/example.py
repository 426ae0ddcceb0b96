"""From one photograph to the bytes of one record: what a worker process does.

Owns the per-image function, which is the same for every engine. It imports neither TensorFlow nor
``harl_tf``, so workers start quickly.
"""

import dataclasses
import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_generation.conversion.per_photograph.own_masks import own_mask
from mask_generation.foreground import foreground_mask
from mask_generation.inputs.mask_file import UnusableMaskError
from mask_generation.inputs.reading import UnusableImageError, decode_image
from mask_generation.inputs.sources import Source
from mask_generation.left_out import LeftOut
from mask_generation.methods import METHODS, MaskMethod, named
from mask_generation.methods.regions import REGION_METHODS
from mask_generation.networks.opening import ModelError
from mask_generation.reason import reason_of
from mask_generation.result import ForegroundMask
from mask_generation.workers import NO_MEMORY, is_out_of_memory

FLAGGED = ("leave_out", "keep")
"""What to do with a photograph whose mask is flagged."""

FILES = "files"
"""Name of the method that reads the user's own masks."""

# Masks are read in every epoch. Unfiltered rows decode in a third of the time of PNG's usual
# filters, and are just as small at the lowest compression: a few kB.
_PNG_SETTINGS = (
    cv2.IMWRITE_PNG_FILTER,
    cv2.IMWRITE_PNG_FILTER_NONE,
    cv2.IMWRITE_PNG_COMPRESSION,
    1,
)


@dataclasses.dataclass(frozen=True)
class Settings:
    """How photographs are turned into records.

    Attributes:
        method: Name of the mask method; ``"files"`` for the user's own masks.
        longest_side: Larger photographs are shrunk to this size in pixels; None keeps them.
        flagged: ``"leave_out"`` or ``"keep"`` photographs whose mask is flagged.
        also: Names of the methods of further masks.
        masks: The user's own masks, ``FOLDER[=VALUE,VALUE]`` or ``tfds:FEATURE[=VALUE,VALUE]``.
        model: Path of the model that the method needs, if it needs one.
    """

    method: str
    longest_side: int | None
    flagged: str
    also: tuple[str, ...] = ()
    masks: str | None = None
    model: str | None = None


@dataclasses.dataclass(frozen=True)
class FurtherMask:
    """A further mask as stored.

    Attributes:
        png: PNG bytes.
        regions: Number of regions.
        assumption: What was assumed about the user's own mask, or empty. Default: empty.
    """

    png: bytes
    regions: int
    assumption: str = ""


@dataclasses.dataclass(frozen=True)
class Example:
    """A photograph as stored.

    Attributes:
        image: JPEG bytes.
        mask: PNG bytes of the mask.
        name: Its name.
        label: Index of its class, or -1.
        quality: Quality of the mask.
        flag: Why the mask should not be trusted, or empty.
        masks: Further masks by name.
        assumption: What was assumed about the user's own mask, or empty.
    """

    image: bytes
    mask: bytes
    name: str
    label: int
    quality: float
    flag: str
    masks: dict[str, FurtherMask]
    assumption: str = ""


def make_example(source: Source, settings: Settings) -> Example | LeftOut:
    """Reads a photograph and computes its masks.

    Args:
        source: The photograph.
        settings: How to convert it.

    Returns:
        The example, or the reason why there is none. It never raises because of the file's
        contents.

    Raises:
        ModelError: If a method's model cannot be opened.
        UnreachableError: If the disk with the photographs is gone.
    """
    try:
        rgb, jpeg = decode_image(source.read(), settings.longest_side)
        result, assumption = _foreground(settings.method, source, rgb, settings)
        if result.flag is not None and settings.flagged == "leave_out":
            share = f"{100 * result.foreground_share:.1f} % foreground"
            size = f"{rgb.shape[1]}×{rgb.shape[0]} px"
            return LeftOut(source.name, f"no usable mask: {result.flag} ({size}, {share})")
        masks = {name: _further(name, source, rgb, settings) for name in settings.also}
    except UnusableImageError as error:
        return LeftOut(source.name, str(error))
    except (MemoryError, cv2.error) as error:
        if not is_out_of_memory(error):
            raise
        return LeftOut(source.name, NO_MEMORY)
    png, flag = encode_png(result.mask), result.flag or ""
    for mask in masks.values():  # the user's own, as the first mask or as a further one
        assumption = assumption or mask.assumption
    return Example(jpeg, png, source.name, source.label, result.quality, flag, masks, assumption)


def bits_of(method: str) -> int:
    """Bit depth of the PNG of a further mask: 16 for region maps, 8 for masks.

    All records of a folder have the same bit depth, whatever their number of regions: a reader that
    decodes every PNG to one dtype would rescale or truncate the values of the others.

    Example:
        >>> bits_of("grid"), bits_of("robust_background")
        (16, 8)
    """
    return 16 if method in REGION_METHODS else 8


def encode_png(mask: np.ndarray) -> bytes:
    r"""Encodes a mask as a PNG with unchanged values, 8 bits for uint8 and 16 for uint16.

    Example:
        >>> encode_png(np.zeros((2, 3), np.uint8))[:4]
        b'\x89PNG'
    """
    return cv2.imencode(".png", mask, _PNG_SETTINGS)[1].tobytes()


def _foreground(
    method: str, source: Source, rgb: NDArray[np.uint8], settings: Settings
) -> tuple[ForegroundMask, str]:
    """The mask, and what was assumed about it."""
    if method == FILES:
        assert settings.masks is not None
        return own_mask(source, rgb, settings.masks)
    try:
        return foreground_mask(rgb, method=_method(method, settings.model)), ""
    except ModelError:  # no fault of the photograph
        raise
    except Exception as error:
        raise _failure(method, error) from error


def _further(
    method: str, source: Source, rgb: NDArray[np.uint8], settings: Settings
) -> FurtherMask:
    if method not in REGION_METHODS:
        mask, assumption = _foreground(method, source, rgb, settings)
        return FurtherMask(encode_png(mask.mask), 2, assumption)
    try:
        regions = REGION_METHODS[method](rgb)
    except Exception as error:
        raise _failure(method, error) from error
    return FurtherMask(encode_png(regions.ids.astype(np.uint16)), regions.count)


def _failure(method: str, error: Exception) -> UnusableMaskError:
    """A method's failure on one photograph must not end the conversion of millions."""
    reason = NO_MEMORY if is_out_of_memory(error) else reason_of(error)
    return UnusableMaskError(f"the method {method} failed: {reason}")


@functools.cache
def _method(name: str, model: str | None) -> str | MaskMethod:
    """The method; one with a model is loaded once per process."""
    return name if name in METHODS or model is None else load(name, model)


def load(name: str, model: str | None) -> MaskMethod:
    """The method of this name.

    Raises:
        ValueError: If there is none, or it needs a model, or another one.

    Example:
        >>> load("robust_background", None).work_size
        160
    """
    return named(name, model)
