"""The user's own masks, as files or as features of a data set.

Owns where masks are, and that a mask has its photograph's orientation and size. Which file belongs
to a photograph is decided in ``mask_generation.inputs.mask_lookup``, what it means in
``mask_generation.inputs.mask_file``. It computes no masks.
"""

import dataclasses
import os
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mask_generation.foreground import judged
from mask_generation.inputs.mask_file import (
    MaskPixels,
    UnusableMaskError,
    decode_file,
    decode_mask,
    turned_to_fit,
)
from mask_generation.inputs.mask_lookup import find_mask
from mask_generation.inputs.reading import UnusableImageError, orientation, read_file
from mask_generation.inputs.sources import TFDS_PREFIX, InMemory, Source, file_mark
from mask_generation.result import ForegroundMask


@dataclasses.dataclass(frozen=True)
class Masks:
    """Where masks are and what they mean, as ``--masks`` says it.

    Attributes:
        folder: Folder of mask files; None if the masks come with the photographs.
        feature: Name of the feature of a data set of TensorFlow Datasets; None for a folder.
        values: The values that are foreground; empty to decide by content.
    """

    folder: str | None
    feature: str | None = None
    values: tuple[int, ...] = ()


def parse_masks(masks: str) -> Masks:
    """Reads ``FOLDER[=VALUE,VALUE]`` or ``tfds:FEATURE[=VALUE,VALUE]``.

    A folder whose name itself contains ``=`` is taken as it is if it exists.

    Raises:
        ValueError: If the values are not whole numbers.

    Example:
        >>> parse_masks("tfds:segmentation_mask=1,3")
        Masks(folder=None, feature='segmentation_mask', values=(1, 3))
        >>> parse_masks("trimaps=1")
        Masks(folder='trimaps', feature=None, values=(1,))
    """
    feature = masks.startswith(TFDS_PREFIX)
    name, equals, words = masks.removeprefix(TFDS_PREFIX).rpartition("=")
    if not equals or (not feature and os.path.isdir(masks)):
        name, words = masks.removeprefix(TFDS_PREFIX) if feature else masks, ""
    try:
        values = tuple(map(int, words.split(","))) if words else ()
    except ValueError:
        raise ValueError(
            "Expected masks as FOLDER or tfds:FEATURE, with whole numbers in =VALUE,VALUE. "
            f"Received: {masks!r}."
        ) from None
    return Masks(None, name, values) if feature else Masks(name, None, values)


def own_mask(source: Source, rgb: NDArray[np.uint8], masks: str) -> tuple[ForegroundMask, str]:
    """Reads the user's own mask of a photograph.

    A mask is turned as the photograph is: by its own EXIF orientation; by the photograph's if it
    comes with it from a data set, or has the photograph's shape only then. A mask of another size,
    but with the same aspect ratio up to a pixel of rounding, is resized to the photograph's size by
    nearest neighbor, because photographs may have been shrunk. A mask with another aspect ratio is
    assumed to belong to another photograph. Void pixels become background.

    Args:
        source: The photograph.
        rgb: Its pixels, ``(H, W, 3)`` uint8, upright.
        masks: Where masks are, as for ``parse_masks``.

    Returns:
        The mask, with quality 1, flagged if it covers almost nothing or almost everything, and what
        was assumed about its file, in words, or an empty text. The photograph's contents are not
        judged, because the mask was not computed from them.

    Raises:
        UnusableMaskError: If there is no mask, or it cannot be used.
    """
    where = parse_masks(masks)
    read = partial(_read, source, where)
    height, width = rgb.shape[:2]
    fits = partial(_same_shape, photograph=(height, width))
    if where.feature is not None:
        pixels = read(orientation(source.read()))
    else:
        pixels = turned_to_fit(read, fits, source.read)
    if not fits(pixels.foreground.shape):
        rows, columns = pixels.foreground.shape
        raise UnusableMaskError(
            f"its mask is of another shape: {columns}×{rows} px, not {width}×{height}"
        )
    mask = _of_size(pixels.foreground, height, width)
    return judged(ForegroundMask(mask, mask.astype(np.float32), 1.0, None)), pixels.assumption


def masks_marks(masks: str) -> Iterator[str]:
    """Short strings that are equal if a folder's masks are the same: names, sizes, times."""
    where = parse_masks(masks)
    yield f"{where.feature} {where.values}"
    if where.folder is None:
        return
    top, visited = os.path.realpath(where.folder), set[str]()
    yield top
    for parent, folders, files in os.walk(top, followlinks=True):  # as masks are found
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders.sort()
        yield os.path.relpath(parent, top)
        yield from (f"{file}\t{file_mark(os.path.join(parent, file))}" for file in sorted(files))


def _read(source: Source, masks: Masks, turned: int) -> MaskPixels:
    """The mask of a photograph whose EXIF orientation is ``turned``, or 1."""
    if masks.folder is None:
        data = source.mask if isinstance(source, InMemory) else None
        if data is None:
            raise UnusableMaskError(f"no mask: it has no feature {masks.feature}")
        return decode_mask(data, masks.values, turned, palette_by_index=not masks.values)
    path = find_mask(masks.folder, source.name, source.path if hasattr(source, "path") else None)
    if path is None:
        raise UnusableMaskError("no mask: there is no mask file of its name")
    try:
        data = read_file(path)
    except UnusableImageError as error:
        raise UnusableMaskError(f"its mask {path.name}: {error}") from error
    return decode_file(path.name, data, masks.values, turned)


def _same_shape(mask: tuple[int, ...], photograph: tuple[int, ...]) -> bool:
    """Whether the aspect ratios are equal up to rounding.

    If they are, the sides of the smaller image are off by at most one pixel; in the cross product
    that pixel is multiplied by a side of the larger image.
    """
    (rows, columns), (height, width) = mask, photograph
    return abs(columns * height - rows * width) <= max(height, width, rows, columns)


def _of_size(foreground: NDArray[np.bool_], height: int, width: int) -> NDArray[np.uint8]:
    """The mask at the photograph's size."""
    mask = foreground.astype(np.uint8)
    if mask.shape == (height, width):
        return mask
    image = Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(image)
