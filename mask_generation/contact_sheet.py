"""A contact sheet of photographs with their masks, to be looked at before training."""

import os
import pathlib

import numpy as np
import tensorflow as tf
from PIL import Image
from skimage.segmentation import find_boundaries
from skimage.util import montage

from harl_tf.data import manifest as manifests
from harl_tf.data import records

_OUTLINE = (255, 64, 0)


def preview(
    folder: str | pathlib.Path,
    out: str | pathlib.Path | None = None,
    count: int = 48,
    tile: int = 160,
) -> pathlib.Path:
    """Draws photographs of a folder of records, their background dimmed, as one PNG.

    Args:
        folder: Folder of records.
        out: PNG file to write. Default: ``preview.png`` in the folder.
        count: How many, spread evenly over the records. Default: 48.
        tile: Side of a picture in pixels. Default: 160.

    Returns:
        The file written.

    Raises:
        RecordsError: If the folder is not whole.
        ValueError: If ``count`` or ``tile`` is less than 1.

    Example:
        >>> preview("no/such/folder")
        Traceback (most recent call last):
        harl_tf.data.manifest.RecordsError: no/such/folder is not a folder of records: ...
    """
    if count < 1 or tile < 1:
        raise ValueError(f"Expected count ≥ 1 and tile ≥ 1. Received: {count} and {tile}.")
    folder = pathlib.Path(folder)
    tiles = _draw_tiles(folder, manifests.read_manifest(folder), count, tile)
    sheet = montage(np.stack(tiles), fill=[255, 255, 255], padding_width=4, channel_axis=-1)
    path = folder / "preview.png" if out is None else pathlib.Path(out)
    temporary = path.with_name(path.name + ".partial")
    try:
        Image.fromarray(sheet.astype(np.uint8)).save(temporary, "PNG")
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(f"{path} could not be written: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _draw_tiles(
    folder: pathlib.Path, manifest: manifests.Manifest, count: int, tile: int
) -> list[np.ndarray]:
    """Draws ``count`` records, or all if there are fewer, evenly spread."""
    files = [str(folder / shard.file) for shard in manifest.shards]
    total = manifest.records
    numbered = tf.data.TFRecordDataset(files).enumerate()
    chosen = numbered.filter(lambda index, _: index * count % total < count)
    tiles = []
    try:
        for _, serialized in chosen:
            fields = records.parse(serialized)
            image = records.decode_image(fields[records.IMAGE]).numpy()
            mask = records.decode_mask(fields[records.MASK]).numpy()
            tiles.append(draw_mask(image, mask, tile))
    except tf.errors.OpError as error:
        raise manifests.RecordsError(
            f"{folder} is damaged: {' '.join(error.message.split())}. "
            "Convert the photographs again."
        ) from error
    return tiles


def draw_mask(image: np.ndarray, mask: np.ndarray, size: int) -> np.ndarray:
    """An image with its background dimmed and its foreground outlined, on a white square.

    Args:
        image: ``(height, width, 3)`` uint8.
        mask: ``(height, width)`` uint8, 1 = foreground.
        size: Side of the result in pixels.

    Returns:
        ``(size, size, 3)`` uint8.

    Example:
        >>> draw_mask(np.full((4, 8, 3), 200, np.uint8), np.ones((4, 8), np.uint8), 16).shape
        (16, 16, 3)
    """
    scale = size / max(image.shape[:2])
    shape = tuple(max(1, round(side * scale)) for side in (image.shape[1], image.shape[0]))
    picture = np.array(Image.fromarray(image).resize(shape, Image.Resampling.BICUBIC))
    region = np.array(Image.fromarray(mask).resize(shape, Image.Resampling.NEAREST)) > 0
    picture[~region] = (picture[~region] * 0.35 + 255 * 0.25).astype(np.uint8)
    picture[find_boundaries(region, mode="inner")] = _OUTLINE
    square = np.full((size, size, 3), 255, np.uint8)
    top, left = (size - picture.shape[0]) // 2, (size - picture.shape[1]) // 2
    square[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return square
