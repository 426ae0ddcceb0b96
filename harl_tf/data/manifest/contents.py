"""What a manifest says of a folder of records.

Owns the fields of ``manifest.json`` and how it is written, not how it is read and checked.
"""

import dataclasses
import hashlib
import json
import os
import pathlib

from harl_tf.data.manifest.seal import sealed

FILE_NAME = "manifest.json"
SCHEMA = 3
"""Schema 1 had no quality, flag or further masks in its records; schema 2 named them
differently."""


@dataclasses.dataclass(frozen=True)
class Shard:
    """One TFRecord file: its name, record count, size in bytes and SHA-256."""

    file: str
    records: int
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class MaskInfo:
    """A mask that every record of a folder has.

    Attributes:
        name: ``"mask"``, or that of a further mask.
        method: Name of the method that made it.
        regions: The largest number of regions in any record, the background included.
        bits: Bit depth of its PNG, 8 or 16.
    """

    name: str
    method: str
    regions: int = 2
    bits: int = 8


@dataclasses.dataclass(frozen=True)
class File:
    """A file that describes the records to TensorFlow Datasets: name, size in bytes, SHA-256."""

    file: str
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a folder of records holds.

    Attributes:
        method: Name of the mask method and its settings.
        classes: Class names in the order of their labels; empty if there are no labels.
        shards: The TFRecord files.
        left_out: Name and reason of each photograph that was left out.
        masks: The masks of every record, ``"mask"`` first.
        flags: Number of records per flag, the reason not to trust their mask; records without a
            flag are not counted.
        files: The files for TensorFlow Datasets.
        passed_over: Number of files that were not taken for photographs, by their ending.
        assumptions: What was taken for granted about the user's own masks, with the number of
            records.
        layout: Sentences on what was taken for granted about folders and classes.
        class_counts: Number of records per class, by its name.
        images_per_shard: Photographs that each shard was made of, those left out included; the
            last one may have fewer. Default: 1000.
        schema: Version of this format.
    """

    method: dict[str, str | int | float]
    classes: tuple[str, ...]
    shards: tuple[Shard, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    masks: tuple[MaskInfo, ...] = (MaskInfo("mask", ""),)
    flags: dict[str, int] = dataclasses.field(default_factory=dict)
    files: tuple[File, ...] = ()
    passed_over: dict[str, int] = dataclasses.field(default_factory=dict)
    assumptions: dict[str, int] = dataclasses.field(default_factory=dict)
    layout: tuple[str, ...] = ()
    class_counts: dict[str, int] = dataclasses.field(default_factory=dict)
    images_per_shard: int = 1000
    schema: int = SCHEMA

    @property
    def records(self) -> int:
        """Number of records in all shards."""
        return sum(shard.records for shard in self.shards)

    @property
    def listed(self) -> "tuple[Shard | File, ...]":
        """All files that the manifest has sizes and checksums of."""
        return (*self.shards, *self.files)

    @property
    def unflagged(self) -> int:
        """Number of records whose mask has no flag."""
        return self.records - sum(self.flags.values())

    def digest(self) -> str:
        """A short fingerprint of the records, the same for the same records.

        Example:
            >>> Manifest({}, (), ()).digest() == Manifest({}, (), ()).digest()
            True
        """
        text = json.dumps([shard.sha256 for shard in self.shards])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def write(self, folder: pathlib.Path) -> None:
        """Writes ``manifest.json`` into a folder and flushes it to disk."""
        text = json.dumps(sealed(dataclasses.asdict(self)), indent=1, ensure_ascii=False)
        with (folder / FILE_NAME).open("w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
