"""The data sets of the race, and the part of each that a seed does not learn from.

Owns unpacking, parts, records and the photographs to score. Photographs are divided by a hash of
their names into five parts; seed ``s`` is scored on part ``s mod 5``, and neither its photographs
nor their labels are learned from.
"""

import csv
import functools
import os
import pathlib
import tarfile
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

import mask_generation
from benchmarks.quality.learning.course import PHOTOGRAPHS

PARTS = 5


class DataSet(NamedTuple):
    """A labeled data set, and photographs without labels that are learned from as well.

    Attributes:
        archive: Its tar file, which contains ``labels.csv`` with columns file and class_index.
        unlabeled: Further tar files.
        side: Side in pixels at which photographs are scored.
        neighbors: Number of neighbors for kNN.
    """

    archive: str
    unlabeled: tuple[str, ...]
    side: int
    neighbors: int


SETS = {
    "tiny_imagenet10": DataSet("tiny_imagenet10", (), side=64, neighbors=20),
    "caltech101": DataSet("caltech101", ("imagenet1k_samples",), side=96, neighbors=10),
}


def prepare(
    name: str, part: int | None, archives: pathlib.Path, work: pathlib.Path
) -> pathlib.Path:
    """What is learned from and what is scored when a part is held out; made once.

    Args:
        name: Name of the data set.
        part: The held-out part; None to hold out nothing, with part 0 as ``test`` nevertheless.
        archives: Folder of the tar files.
        work: Folder to work in.

    Returns:
        A folder with ``photographs.npz``, ``images``, which has a folder of links per archive, and
        ``records`` of them.
    """
    data = SETS[name]
    folder = work / (f"{name}_whole" if part is None else f"{name}_without_{part}")
    images = folder / "images"
    for archive in (data.archive, *data.unlabeled):
        source = unpacked(archive, archives, work)
        held_out = part if archive == data.archive else None
        link(source / "images", images / archive, functools.partial(_is_outside, held_out))
    if not (folder / PHOTOGRAPHS).exists():
        arrays = _scored(work / data.archive, data.side, part or 0)
        partial = folder / f"partial_{PHOTOGRAPHS}"
        np.savez(partial, allow_pickle=False, **arrays)
        partial.rename(folder / PHOTOGRAPHS)
    if not (folder / "records").exists():
        mask_generation.convert(images, folder / "records", workers=2, progress=False)
    return folder


def part_of(file: str) -> int:
    """The part a photograph belongs to, by its name in ``labels.csv``."""
    return zlib.crc32(file.encode()) % PARTS


def unpacked(archive: str, archives: pathlib.Path, work: pathlib.Path) -> pathlib.Path:
    """The folder of an archive, unpacked once."""
    folder, partial = work / archive, work / f"{archive}.partial"
    if not folder.exists():
        with tarfile.open(archives / f"{archive}.tar") as file:
            file.extractall(partial, filter="data")
        (partial / archive).rename(folder)
        partial.rmdir()
    return folder


def _is_outside(part: int | None, inner: pathlib.Path) -> bool:
    return part_of(f"images/{inner}") != part


def link(
    source: pathlib.Path, folder: pathlib.Path, wanted: Callable[[pathlib.Path], bool]
) -> None:
    """Links the files of a folder from another, below it at the same places.

    Args:
        source: The folder with the files.
        folder: The other one; files that are there already are left.
        wanted: Whether a file is linked, by its path below ``source``.
    """
    for path in sorted(source.rglob("*.*")):
        inner = path.relative_to(source)
        if wanted(inner) and not (folder / inner).exists():
            (folder / inner).parent.mkdir(parents=True, exist_ok=True)
            os.link(path, folder / inner)


def _scored(folder: pathlib.Path, side: int, part: int) -> dict[str, np.ndarray]:
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    arrays: dict[str, np.ndarray] = {}
    for split, held_out in (("train", False), ("test", True)):
        chosen = [row for row in rows if (part_of(row["file"]) == part) == held_out]
        arrays[split] = np.stack([_square(folder / row["file"], side) for row in chosen])
        arrays[f"{split}_labels"] = np.array([int(row["class_index"]) for row in chosen])
    return arrays


def _square(path: pathlib.Path, side: int) -> np.ndarray:
    """The shorter side resized, and the center cropped."""
    with Image.open(path) as image:
        square = ImageOps.fit(image.convert("RGB"), (side, side), Image.Resampling.BICUBIC)
        return np.asarray(square)
