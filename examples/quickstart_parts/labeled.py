"""Labeled pictures in memory: some to learn from, others to test on.

Owns the split and how pictures are read. Nothing here needs masks or records.
"""

import dataclasses
import io
import pathlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from mask_generation import find_images

LEAST = 10
"""Pictures of the smallest class: half of them to learn from, and as many to test on."""


@dataclasses.dataclass(frozen=True, eq=False)
class Labeled:
    """Pictures, and the classes they are of.

    Attributes:
        images: ``(count, side, side, 3)`` uint8.
        labels: ``(count,)`` int64, indices of classes.
    """

    images: np.ndarray
    labels: np.ndarray

    @property
    def chance(self) -> float:
        """Accuracy of always naming the most frequent class."""
        return float(np.bincount(self.labels).max()) / len(self.labels)

    def batches(self, size: int = 64) -> list[tuple[np.ndarray, np.ndarray]]:
        """The same in batches, as probes take them."""
        starts = range(0, len(self.labels), size)
        return [(self.images[i : i + size], self.labels[i : i + size]) for i in starts]


@dataclasses.dataclass(frozen=True)
class Split:
    """The files of a task.

    Attributes:
        classes: Their names, in the order of their labels.
        train: Files and labels to learn from.
        test: Files and labels to test on.
    """

    classes: tuple[str, ...]
    train: Sequence[tuple[str, int]]
    test: Sequence[tuple[str, int]]


def split_of_two(train: pathlib.Path, test: pathlib.Path) -> Split:
    """A task whose training and test pictures are in two folders with the same classes."""
    parts = [find_images(folder) for folder in (train, test)]
    files = [[(source.path, source.label) for source in part.sources] for part in parts]
    return Split(parts[0].classes, *files)


def split_in_halves(folder: str, seed: int = 0) -> Split:
    """A task from one folder: half of every class to learn from, the rest to test on.

    Args:
        folder: Folder with one subfolder of pictures per class.
        seed: Another seed gives other halves. Default: 0.

    Raises:
        FileNotFoundError: If there are no classes, or too few pictures of one.
    """
    found = find_images(folder)
    if len(found.classes) < 2:
        raise FileNotFoundError(
            f"{folder} needs one subfolder of photographs per class, and two of them at least."
        )
    train, test = [], []
    for label, name in enumerate(found.classes):
        files = [(source.path, label) for source in found.sources if source.label == label]
        if len(files) < LEAST:
            raise FileNotFoundError(
                f"Expected {LEAST} photographs of every class in {folder}, 5 to learn from and 5 "
                f"to test on. Received: {len(files)} of {name}. Add some, or remove the class."
            )
        order = np.random.default_rng((seed, label)).permutation(len(files))
        half = len(files) // 2
        train += [files[i] for i in sorted(order[:half])]
        test += [files[i] for i in sorted(order[half:])]
    return Split(found.classes, train, test)


def read(files: Sequence[tuple[str, int]], side: int) -> Labeled:
    """Reads pictures as squares: the central one of each, scaled.

    Args:
        files: Files and labels.
        side: Side of the squares in pixels.

    Raises:
        OSError: If a file cannot be read as a picture.
    """
    images = np.stack([_square(pathlib.Path(path), side) for path, _ in files])
    return Labeled(images, np.array([label for _, label in files], np.int64))


def _square(path: pathlib.Path, side: int) -> np.ndarray:
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    return np.asarray(ImageOps.fit(upright, (side, side), Image.Resampling.BICUBIC))
