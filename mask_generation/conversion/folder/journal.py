"""A record of what a conversion has finished, so that it can continue after an interruption.

Owns the fingerprint of a conversion and the folder ``journal`` next to the shards, with one file
for every finished shard. Each has its own checksum: a damaged one costs its shard and no other.
"""

import dataclasses
import hashlib
import importlib.metadata
import json
import pathlib
import shutil
from typing import Any

from harl_tf.data.manifest import sealed, unsealed
from mask_generation.conversion.folder.shards import FinishedShard, remove_unfinished
from mask_generation.conversion.per_photograph.example import Settings
from mask_generation.conversion.per_photograph.own_masks import masks_marks
from mask_generation.inputs.sources import Images, file_mark
from mask_generation.whole_file import whole_file

FOLDER = "journal"
_FINGERPRINT = "fingerprint"


_COMPUTING = (
    *("harl_tf", "numpy", "scipy", "scikit-image", "pillow", "numba"),
    *("opencv-contrib-python-headless", "opencv-python-headless", "opencv-python"),
)
"""What the bytes of a shard depend on, besides photographs and settings."""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def fingerprint(images: Images, settings: Settings, per_shard: int) -> str:
    """A hash of everything that must be unchanged for finished shards to be reused.

    Args:
        images: The photographs: names, labels, sizes and modification times are hashed.
        settings: How they are converted, including the sizes and modification times of the user's
            own masks and of a model.
        per_shard: Photographs per shard.

    Returns:
        A hash of these and of the versions of this package and of the libraries that decode and
        compute.
    """
    digest = hashlib.sha256()

    def add(text: str) -> None:
        digest.update(text.encode("utf-8", "backslashreplace") + b"\n")

    for package in _COMPUTING:
        add(f"{package} {_version(package)}")
    # Where masks and models are is told by their files, whichever way their path is written.
    plain = dataclasses.replace(settings, masks=None, model=None)
    add(json.dumps([dataclasses.asdict(plain), per_shard, images.classes]))
    for mark in images.marks():
        add(mark)
    if settings.masks is not None:
        for mark in masks_marks(settings.masks):
            add(mark)
    if settings.model is not None:
        model = pathlib.Path(settings.model)
        add(str(model.resolve()) if model.exists() else settings.model)
        for path in sorted([model, *model.rglob("*")]):
            add(file_mark(path))
    return digest.hexdigest()


@dataclasses.dataclass(frozen=True)
class Journal:
    """The journal of one conversion.

    Attributes:
        folder: Folder of the shards.
        fingerprint: Fingerprint of the conversion.
        names: File names of all shards.
    """

    folder: pathlib.Path
    fingerprint: str
    names: tuple[str, ...]

    def resume(self) -> tuple[set[int], str | None]:
        """Prepares the folder: keeps finished shards if they are from the same conversion.

        Returns:
            Indices of the finished shards, and a sentence about what an earlier conversion left
            behind, if anything.
        """
        existed = self.folder.exists()
        remove_unfinished(self.folder)
        finished = self._finished()
        if finished:
            return (
                finished,
                f"{len(finished)} of {len(self.names)} shards were finished before; continuing.",
            )
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / FOLDER).mkdir(parents=True)
        sentence = f"{self.folder} has no finished shard of this conversion; starting over."
        return set(), sentence if existed else None

    def of_others(self) -> int:
        """Number of shards that a conversion with another fingerprint has finished."""
        notes = (_fields(path) for path in (self.folder / FOLDER).glob("*.json"))
        marks = [None if note is None else note.get(_FINGERPRINT) for note in notes]
        return sum(mark not in (None, self.fingerprint) for mark in marks)

    def add(self, index: int, finished: FinishedShard) -> None:
        """Records that a shard is finished."""
        note = sealed({_FINGERPRINT: self.fingerprint, **finished.to_json()})
        with whole_file(self._path(_note(index))) as file:
            file.write_text(json.dumps(note) + "\n", encoding="utf-8")

    def noted(self) -> list[FinishedShard]:
        """The shards recorded as finished, in order, without checking their files."""
        shards = (self._read(index) for index in range(len(self.names)))
        return [shard for shard in shards if shard is not None]

    def _finished(self) -> set[int]:
        """Indices of the recorded shards whose files exist and match their checksums."""
        found = set()
        for index, name in enumerate(self.names):
            note, path = self._read(index), self.folder / name
            if note is None or note.shard.file != name or not path.is_file():
                self._path(_note(index)).unlink(missing_ok=True)
                continue
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() == note.shard.sha256:
                    found.add(index)
                else:
                    self._path(_note(index)).unlink()
        return found

    def _path(self, name: str) -> pathlib.Path:
        return self.folder / FOLDER / name

    def _read(self, index: int) -> FinishedShard | None:
        fields = _fields(self._path(_note(index)))
        if fields is None or fields.get(_FINGERPRINT) != self.fingerprint:
            return None
        try:
            return FinishedShard.from_json(fields)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


def _fields(path: pathlib.Path) -> dict[str, Any] | None:
    """What a note says; None if it is not what was written."""
    try:
        fields: dict[str, Any] = unsealed(json.loads(path.read_text(encoding="utf-8")))
        return fields
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _note(index: int) -> str:
    return f"{index:05d}.json"
