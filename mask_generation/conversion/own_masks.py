"""The user's own masks, as files.

Owns where the mask of a photograph is found, and how a mask file becomes foreground and background:
any value other than zero is foreground. It computes no masks.
"""

import dataclasses
import io
import os
import pathlib
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mask_generation.foreground import judged
from mask_generation.inputs.reading import (
    LARGEST_PIXELS,
    UnusableImageError,
    open_image,
    read_file,
)
from mask_generation.inputs.sources import TFDS_PREFIX, InMemory, Source, file_mark
from mask_generation.result import ForegroundMask

NPZ_KEY = "foreground"
"""Name of the array in an ``.npz`` file."""


class UnusableMaskError(UnusableImageError):
    """A photograph has no mask, or one that cannot be used; the message is one line."""


@dataclasses.dataclass(frozen=True)
class FeatureMask:
    """A mask that comes with the photograph, from a data set of TensorFlow Datasets.

    Attributes:
        feature: Name of the feature.
        values: The values that are foreground; empty for all values except zero.
    """

    feature: str
    values: tuple[int, ...] = ()


def feature_mask(masks: str | None) -> FeatureMask | None:
    """Reads ``tfds:FEATURE[=VALUE,VALUE]``; None for a folder.

    Raises:
        ValueError: If the values are not whole numbers.

    Example:
        >>> feature_mask("tfds:segmentation_mask=1,3")
        FeatureMask(feature='segmentation_mask', values=(1, 3))
    """
    if masks is None or not masks.startswith(TFDS_PREFIX):
        return None
    feature, _, values = masks.removeprefix(TFDS_PREFIX).partition("=")
    try:
        return FeatureMask(feature, tuple(map(int, values.split(","))) if values else ())
    except ValueError:
        raise ValueError(
            f"Expected masks as tfds:FEATURE=VALUE,VALUE with whole numbers. Received: {masks!r}."
        ) from None


def find_mask(folder: str | pathlib.Path, name: str) -> pathlib.Path | None:
    """Finds the mask file of a photograph.

    The candidates are, in this order: the photograph's name with ``.png`` appended, with its
    extension replaced by ``.png``, with its extension replaced by ``.npz``; then the same without
    everything up to a folder ``train``, as in the masks released by the authors of HARL (Tran et
    al. 2022), where the mask of ``train/n01440764/x.JPEG`` is ``MASKS/n01440764/x.png``.

    Args:
        folder: Folder of masks.
        name: Name of the photograph, a path with forward slashes.

    Returns:
        The file, or None. Photographs whose names differ only in their extension may share a mask.

    Example:
        >>> find_mask("no/such/folder", "train/a.jpg") is None
        True
    """
    parts = [part for part in pathlib.PurePosixPath(name).parts if part not in ("/", "..")]
    relatives = [pathlib.PurePosixPath(*parts)]
    if "train" in parts[:-1]:
        relatives.append(pathlib.PurePosixPath(*parts[parts.index("train") + 1 :]))
    for relative in relatives:
        for candidate in (
            relative.with_name(relative.name + ".png"),
            relative.with_suffix(".png"),
            relative.with_suffix(".npz"),
        ):
            path = pathlib.Path(folder) / candidate
            if path.is_file():
                return path
    return None


def own_mask(source: Source, rgb: NDArray[np.uint8], masks: str) -> ForegroundMask:
    """Reads the user's own mask of a photograph.

    A mask of another size, but with the same aspect ratio up to a pixel of rounding, is resized to
    the photograph's size by nearest neighbor, because photographs may have been shrunk. A mask with
    another aspect ratio, or rotated, is assumed to belong to another photograph.

    Args:
        source: The photograph.
        rgb: Its pixels, ``(H, W, 3)`` uint8, upright.
        masks: Folder of masks, or ``tfds:FEATURE[=VALUE,VALUE]`` for masks that come with it.

    Returns:
        The mask, with quality 1, flagged if it covers almost nothing or almost everything. The
        photograph's contents are not judged, because the mask was not computed from them.

    Raises:
        UnusableMaskError: If there is no mask, or it cannot be used.
    """
    from_feature = feature_mask(masks)
    if from_feature is not None:
        data = source.mask if isinstance(source, InMemory) else None
        if data is None:
            raise UnusableMaskError(f"no mask: it has no feature {from_feature.feature}")
        foreground = _from_image(data, from_feature.values)
    else:
        path = find_mask(masks, source.name)
        if path is None:
            raise UnusableMaskError("no mask: there is no mask file of its name")
        foreground = _from_file(path)
    mask = _of_size(foreground, *rgb.shape[:2])
    return judged(ForegroundMask(mask, mask.astype(np.float32), 1.0, None))


def masks_marks(masks: str) -> Iterator[str]:
    """Short strings that are equal if a folder's masks are the same: names, sizes, times."""
    yield masks if feature_mask(masks) is not None else ""
    for parent, folders, files in os.walk(masks):
        folders.sort()
        yield from (f"{file}\t{file_mark(os.path.join(parent, file))}" for file in sorted(files))


def _from_file(path: pathlib.Path) -> NDArray[np.bool_]:
    try:
        data = read_file(path)
    except UnusableImageError as error:
        raise UnusableMaskError(f"its mask {path.name}: {error}") from error
    return _from_arrays(data) if path.suffix == ".npz" else _from_image(data, ())


def _from_arrays(data: bytes) -> NDArray[np.bool_]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            values = arrays[NPZ_KEY]
    except KeyError as error:
        raise UnusableMaskError(f"its mask has no array {NPZ_KEY!r}") from error
    except Exception as error:  # a broken zip raises almost anything
        raise UnusableMaskError(f"its mask is damaged: {' '.join(str(error).split())}") from error
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "biuf":
        raise UnusableMaskError(
            f"its mask is {values.dtype} of shape {values.shape}, not numbers (height, width)"
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise UnusableMaskError("its mask has values that are not finite")
    return np.not_equal(values, 0)


def _from_image(data: bytes, values: tuple[int, ...]) -> NDArray[np.bool_]:
    """Foreground of an image of any bit depth; palette images count by their indices."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = open_image(data)
            if image.width * image.height > LARGEST_PIXELS:
                raise UnusableMaskError(f"its mask has more than {LARGEST_PIXELS:,} pixels")
            pixels = np.asarray(image)
            bands = image.getbands()
    except UnusableMaskError:
        raise
    except Exception as error:  # decoding a broken file raises almost anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnusableMaskError(f"its mask is damaged: {reason}") from error
    if pixels.ndim == 3:  # ignore transparency
        colors = [index for index, band in enumerate(bands) if band != "A"]
        pixels = pixels[..., colors].max(axis=-1)
    return np.isin(pixels, values) if values else np.not_equal(pixels, 0)


def _of_size(foreground: NDArray[np.bool_], height: int, width: int) -> NDArray[np.uint8]:
    """The mask at the photograph's size, if it has its shape."""
    mask = foreground.astype(np.uint8)
    rows, columns = mask.shape
    if (rows, columns) == (height, width):
        return mask
    # If the aspect ratios are equal, the sides of the smaller image are off by at most one pixel;
    # in the cross product below that pixel is multiplied by a side of the larger image.
    if abs(columns * height - rows * width) > max(height, width, rows, columns):
        raise UnusableMaskError(
            f"its mask is of another shape: {columns}×{rows} px, not {width}×{height}"
        )
    image = Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(image)
