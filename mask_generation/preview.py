"""A contact sheet of photographs with their masks, to be looked at before training."""

import itertools
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

    Example:
        >>> preview("no/such/folder")
        Traceback (most recent call last):
        harl_tf.data.manifest.RecordsError: no/such/folder is not a folder of records: ...
    """
    folder = pathlib.Path(folder)
    manifest = manifests.read_manifest(folder)
    files = [str(folder / shard.file) for shard in manifest.shards]
    every = max(1, manifest.records // count)
    chosen = itertools.islice(tf.data.TFRecordDataset(files).shard(every, 0), count)
    tiles = []
    for serialized in chosen:
        fields = records.parse(serialized)
        image = records.decode_image(fields[records.IMAGE]).numpy()
        tiles.append(draw_mask(image, records.decode_mask(fields[records.MASK]).numpy(), tile))
    sheet = montage(np.stack(tiles), fill=[255, 255, 255], padding_width=4, channel_axis=-1)
    path = folder / "preview.png" if out is None else pathlib.Path(out)
    temporary = path.with_name(path.name + ".partial")
    Image.fromarray(sheet.astype(np.uint8)).save(temporary, "PNG")
    os.replace(temporary, path)
    return path


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
