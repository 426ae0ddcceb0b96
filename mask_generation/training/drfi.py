"""Training DRFI: from images and masks to regions with labels to boosted trees.

Owns which regions are learned from. Does not own their features
(``mask_generation.drfi.features``) nor the trees (``mask_generation.drfi.boosted_trees``).
"""

import dataclasses
import pathlib
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from mask_generation.drfi import boosted_trees
from mask_generation.drfi.features import NAMES, describe
from mask_generation.drfi.pixels import measure, segment
from mask_generation.evaluation.truth import EvaluationError, read_mask
from mask_generation.foreground import foreground_mask
from mask_generation.image.resize import shrink
from mask_generation.inputs.file_names import printable
from mask_generation.inputs.folder import FileSource, find_images
from mask_generation.inputs.mask_lookup import find_mask
from mask_generation.inputs.reading import UnusableImageError, read_image
from mask_generation.left_out import LeftOut
from mask_generation.networks.opening import ModelError
from mask_generation.workers import ordered_map

# A region counts as foreground or background when this share of its pixels agree; others teach
# nothing (the paper's share).
_CONFIDENT = 0.8
# The paper's number of trees.
_TREES = 200


@dataclasses.dataclass(frozen=True)
class RegionSettings:
    """How regions and their labels are made.

    Attributes:
        pseudo: Mask method whose masks are learned from; None if there are masks.
        masks: Folder of masks, ``NAME.png`` for the image ``NAME.*``; None for pseudo-labels.
        work_size: Longer side in pixels at which images are described. Default: 240.
        scales: Of the segmentations, from fine to coarse. Default: three, each four times the last;
            five, each twice, gave masks better by less than .01 IoU in 1.6 times the time.
    """

    pseudo: str | None
    masks: str | None = None
    work_size: int = 240
    scales: tuple[float, ...] = (50.0, 200.0, 800.0)

    @property
    def labels(self) -> str:
        """Where the labels come from, in words."""
        if self.pseudo is None:
            return f"masks of {self.masks}"
        return f"pseudo-labels of {self.pseudo}"


@dataclasses.dataclass(frozen=True, eq=False)
class LabeledRegions:
    """Regions of an image: features (n, features) float32 and labels (n,), 0 or 1."""

    features: NDArray[np.float32]
    labels: NDArray[np.float32]


def train(
    images: str | pathlib.Path,
    settings: RegionSettings,
    trees: int = _TREES,
    limit: int | None = None,
    seed: int = 0,
    workers: int = 1,
    progress: bool = True,
) -> tuple[boosted_trees.BoostedTrees, tuple[LeftOut, ...]]:
    """Trains on a folder of images.

    The same images, settings and seed give the same trees, whatever the number of workers.

    Args:
        images: Folder of images, searched with its subfolders.
        settings: Where the labels come from and how images are cut.
        trees: Number of trees. Default: 200, the paper's.
        limit: Use this many images, spread evenly over the folder. Default: all.
        seed: Of the random choices of the trees. Default: 0.
        workers: Processes that describe images and threads that grow trees. Default: 1.
        progress: Whether to show a progress bar. Default: True.

    Returns:
        The trees, and the images that could not be learned from.

    Raises:
        ModelError: If no image can be learned from, all regions have one label, or LightGBM is not
            installed.
        FileNotFoundError: If there is no such folder or no image in it.

    Example:
        >>> train("no/such/folder", RegionSettings("robust_background"))
        Traceback (most recent call last):
        FileNotFoundError: There is no folder no/such/folder.
    """
    if settings.masks is not None and not pathlib.Path(settings.masks).is_dir():
        raise ModelError(f"There is no folder of masks {settings.masks}.")
    sources = find_images(images).sources
    if limit is not None:
        sources = [sources[index] for index in _spread(len(sources), limit)]
    with ordered_map(workers) as run:
        learn = partial(labeled_regions, settings=settings)
        results = run(learn, sources, lambda source, reason: LeftOut(source.name, reason))
        done = list(tqdm(results, total=len(sources), unit="photo", disable=not progress))
    labeled = [result for result in done if isinstance(result, LabeledRegions)]
    left_out = tuple(result for result in done if isinstance(result, LeftOut))
    if not labeled:
        first = left_out[0]
        raise ModelError(
            f"None of the {len(sources)} photographs can be learned from; the first: "
            f"{printable(first.name)}: {first.reason}."
        )
    return boosted_trees.BoostedTrees(
        trees=_grow(labeled, trees, seed, workers),
        work_size=settings.work_size,
        scales=settings.scales,
        trained_on=f"{len(labeled)} photographs of {images}, {settings.labels}",
    ), left_out


def labeled_regions(source: FileSource, settings: RegionSettings) -> LabeledRegions | LeftOut:
    """Describes the regions of an image whose label is clear.

    Args:
        source: The image.
        settings: Where its mask comes from and how it is cut.

    Returns:
        The regions of all levels, or why there are none. It never raises for what is in a file.
    """
    try:
        rgb, _ = read_image(source.path)
        if settings.masks is None:
            mask = _pseudo(rgb, settings.pseudo)
        else:
            mask = _drawn(source, settings.masks, rgb)
    except (UnusableImageError, EvaluationError, _NoMaskError) as error:
        return LeftOut(source.name, str(error).rstrip("."))
    small = shrink(rgb, settings.work_size)
    share = Image.fromarray(mask)
    share = share.resize((small.shape[1], small.shape[0]), Image.Resampling.BILINEAR)
    flat = np.asarray(share).ravel()
    levels = segment(small, settings.scales)
    features, labels = [np.empty((0, len(NAMES)), np.float32)], [np.empty(0, np.float32)]
    for ids, described in zip(levels, describe(measure(small), levels), strict=True):
        foreground = np.bincount(ids.ravel(), flat) / np.bincount(ids.ravel())
        clear = np.maximum(foreground, 1 - foreground) >= _CONFIDENT
        features.append(described[clear])
        labels.append((foreground[clear] > 0.5).astype(np.float32))
    return LabeledRegions(np.concatenate(features), np.concatenate(labels))


class _NoMaskError(Exception):
    """An image has no mask to learn from; the message is the reason."""


def _pseudo(rgb: NDArray[np.uint8], method: str | None) -> NDArray[np.float32]:
    assert method is not None
    result = foreground_mask(rgb, method)
    if result.flag is not None:
        raise _NoMaskError(f"no usable mask: {result.flag}")
    return result.mask.astype(np.float32)


def _drawn(source: FileSource, folder: str, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    path = find_mask(folder, source.name, source.path)
    if path is None:
        expected = (pathlib.Path(folder) / source.name).with_suffix(".png")
        raise _NoMaskError(f"no mask {expected}")
    mask = read_mask(path, source.path, rgb.shape[:2])
    if mask.foreground.shape != rgb.shape[:2]:
        sizes = [f"{width}×{height}" for height, width in (mask.foreground.shape, rgb.shape[:2])]
        raise _NoMaskError(f"the mask has {sizes[0]} pixels, the upright photograph {sizes[1]}")
    # Void is half of either, so that a region full of it is clearly neither.
    return np.where(mask.known, mask.foreground, 0.5).astype(np.float32)


def _grow(labeled: Sequence[LabeledRegions], trees: int, seed: int, threads: int) -> str:
    features = np.concatenate([regions.features for regions in labeled])
    labels = np.concatenate([regions.labels for regions in labeled])
    if len(np.unique(labels)) < 2:
        raise ModelError(
            f"Expected regions of foreground and of background. Received: {len(labels)} regions of "
            f"{len(labeled)} photographs, all of one kind. Use more photographs or other masks."
        )
    return boosted_trees.fit(features, labels, trees, seed, threads)


def _spread(count: int, wanted: int) -> list[int]:
    """At most ``wanted`` of ``count`` indices, evenly spread."""
    return [int(index) for index in np.unique(np.linspace(0, count - 1, wanted).round())]
