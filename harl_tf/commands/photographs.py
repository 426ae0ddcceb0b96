"""Photographs, a batch at a time, for the commands that look at them once.

Owns the cut: the largest central square, scaled to one size, as ``harl_tf.data.labeled_images``
cuts it; and records as a source. Finding and decoding are ``mask_generation``'s, which reads what
people have. Only the answers are kept, never the photographs of a whole set.
"""

import dataclasses
import itertools
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from tqdm import tqdm

from harl_tf.commands.refusal import CommandError
from harl_tf.data import records
from harl_tf.data.manifest import Manifest, read_manifest, warn_of_quarantine
from harl_tf.data.shard_files import ShardFiles
from harl_tf.evaluation import Embedder
from mask_generation.inputs.reading import UnusableImageError, decode_image
from mask_generation.inputs.sources import InMemory, Source, open_images

_BATCH = 64

Asked = Callable[[np.ndarray], np.ndarray]
"""From uint8 images ``(batch, size, size, 3)`` to one row for each."""


@dataclasses.dataclass(frozen=True)
class Seen:
    """What was found out about photographs.

    Attributes:
        answers: For each question ``(photographs, ...)``.
        labels: ``(photographs,)`` ints, indices of ``classes``; −1 without any.
        names: Their names: in a folder, their paths below it.
        classes: Names of the classes.
        left_out: Names of those that cannot be used, and why.
    """

    answers: list[np.ndarray]
    labels: np.ndarray
    names: list[str]
    classes: tuple[str, ...]
    left_out: dict[str, str]


def look(where: str, size: int, questions: Sequence[Asked]) -> Seen:
    """Looks at all photographs of a source, and says which could not be used.

    Args:
        where: A folder, perhaps with class folders in it; whatever else ``mask_generation convert``
            takes, that is a list, a tar file or ``tfds:NAME``; or records that it wrote.
        size: Side of the squares in pixels.
        questions: What to ask about each batch.

    Raises:
        CommandError: If there is no such source or not one photograph in it can be used.

    Example:
        >>> look("no/such/folder", 32, [])
        Traceback (most recent call last):
        harl_tf.commands.refusal.CommandError: There is no folder no/such/folder.
    """
    found = _opened(where)
    for sentence in found.layout:
        print(f"note: {sentence}")
    rows: list[list[np.ndarray]] = [[] for _ in questions]
    kept: list[tuple[str, int]] = []
    left_out: dict[str, str] = {}
    progress = tqdm(total=len(found), unit=" photographs", leave=False, disable=None)
    sources = found.part(0, len(found))
    while part := list(itertools.islice(sources, _BATCH)):
        images = _squares(part, size, kept, left_out)
        progress.update(len(part))
        for asked, answers in zip(questions, rows, strict=True) if len(images) else ():
            answers.append(np.asarray(asked(images)))
    progress.close()
    if not kept:
        raise CommandError(f"No photograph in {where} can be used; the first: {_first(left_out)}.")
    if left_out:
        print(f"{len(left_out)} left out; the first: {_first(left_out)}.")
    return Seen(
        [np.concatenate(answers) for answers in rows],
        np.array([label for _, label in kept]),
        [name for name, _ in kept],
        found.classes,
        left_out,
    )


def classes_of(where: str) -> tuple[str, ...]:
    """The classes of a source, without looking at any photograph.

    Args:
        where: As in ``look``.

    Raises:
        CommandError: If there is no such source.

    Example:
        >>> classes_of("no/such/folder")
        Traceback (most recent call last):
        harl_tf.commands.refusal.CommandError: There is no folder no/such/folder.
    """
    found: tuple[str, ...] = _opened(where).classes
    return found


def mean_features(backbone: keras.Model) -> Asked:
    """Asks for the mean features of the last map, ``(batch, channels)`` float32.

    Args:
        backbone: A model from images to a dict of feature maps.
    """
    embedder = Embedder(backbone)
    return lambda images: embedder.vectors([images])


@dataclasses.dataclass(frozen=True)
class _Records:
    """Records of ``mask_generation`` as a source."""

    folder: pathlib.Path
    manifest: Manifest
    layout: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        return self.manifest.classes

    def __len__(self) -> int:
        return self.manifest.records

    def part(self, start: int, stop: int) -> Iterator[Source]:
        files = ShardFiles(self.folder, self.manifest)
        serialized = tf.data.Dataset.from_tensor_slices(files.paths).flat_map(files.open)
        parsed = serialized.map(records.parse).skip(start).take(stop - start)
        for fields in parsed.as_numpy_iterator():
            name = fields[records.NAME].decode("utf-8", "backslashreplace")
            yield InMemory(fields[records.IMAGE], name, int(fields[records.LABEL]))


def _opened(where: str) -> Any:
    folder = pathlib.Path(where)
    try:
        if (folder / "manifest.json").is_file():
            warn_of_quarantine(folder)
            return _Records(folder, read_manifest(folder))
        return open_images(where)
    except OSError as error:
        raise CommandError(str(error)) from error


def check_parent(path: str | pathlib.Path) -> None:
    """Refuses a name in a folder that does not exist, before any work is done for it.

    Raises:
        CommandError: Naming the folder.

    Example:
        >>> check_parent("no/such/out.csv")
        Traceback (most recent call last):
        harl_tf.commands.refusal.CommandError: There is no folder no/such for out.csv.
    """
    place = pathlib.Path(path)
    if not place.parent.is_dir():
        raise CommandError(f"There is no folder {place.parent} for {place.name}.")


def check_file(path: str) -> None:
    """Refuses the name of a file that is a folder, or in a folder that does not exist.

    Raises:
        CommandError: Naming the folder.

    Example:
        >>> check_file(".")
        Traceback (most recent call last):
        harl_tf.commands.refusal.CommandError: . is a folder; name a file in it.
    """
    check_parent(path)
    if pathlib.Path(path).is_dir():
        raise CommandError(f"{path} is a folder; name a file in it.")


def check_classes(seen: Seen, folder: str) -> None:
    """Refuses photographs of fewer than two classes.

    Raises:
        CommandError: Saying what a folder must look like.
    """
    known = np.unique(seen.labels[seen.labels >= 0])
    outside = int((seen.labels < 0).sum())
    if len(known) < 2 or outside:
        raise CommandError(
            f"Expected one subfolder per class in {folder}, at least two, with all photographs in "
            f"them. Received: {len(known)} with photographs, {outside} photographs outside."
        )


def _squares(
    sources: Sequence[Source], size: int, kept: list[tuple[str, int]], left_out: dict[str, str]
) -> np.ndarray:
    """Those that can be used, ``(images, size, size, 3)``; notes them, and why others cannot."""
    squares = []
    for source in sources:
        try:
            squares.append(_square(decode_image(source.read())[0], size))
        except UnusableImageError as error:
            left_out[source.name] = str(error)
            continue
        kept.append((source.name, source.label))
    return np.stack(squares) if squares else np.zeros((0, size, size, 3), np.uint8)


def _square(pixels: np.ndarray, size: int) -> np.ndarray:
    side = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    square = Image.fromarray(pixels[top : top + side, left : left + side])
    return np.asarray(square.resize((size, size), Image.Resampling.BILINEAR))


def _first(left_out: dict[str, str]) -> str:
    name, reason = next(iter(left_out.items()))
    return f"{name}, {reason}"
