"""The manifest: what a folder of records contains, so that nothing goes missing silently.

Owns ``manifest.json``, its schema and its checks. A TFRecord file truncated between two records
reads as a shorter file without any error; only the counts and checksums here detect it.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
from typing import Any

FILE_NAME = "manifest.json"
SCHEMA = 3
"""Schema 1 had no quality, flag or further masks in its records; schema 2 named them
differently."""


class RecordsError(Exception):
    """A folder of records is missing, incomplete or damaged; the message says which and where."""


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
    schema: int = SCHEMA

    @property
    def records(self) -> int:
        """Number of records in all shards."""
        return sum(shard.records for shard in self.shards)

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
        text = json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False)
        with (folder / FILE_NAME).open("w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())


def read_manifest(folder: str | pathlib.Path) -> Manifest:
    """Reads a folder's manifest and checks that every file has its recorded size.

    Args:
        folder: Folder that ``mask_generation.convert`` wrote.

    Returns:
        The manifest.

    Raises:
        RecordsError: If there is no manifest, it cannot be read, or a file is missing or has
            another size.

    Example:
        >>> read_manifest("no/such/folder")
        Traceback (most recent call last):
        harl_tf.data.manifest.RecordsError: no/such/folder is not a folder of records: ...
    """
    folder = pathlib.Path(folder)
    path = folder / FILE_NAME
    if not path.is_file():
        raise RecordsError(
            f"{folder} is not a folder of records: it has no {FILE_NAME}. "
            "Make one with: python -m mask_generation convert PHOTOS RECORDS."
        )
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields["schema"] != SCHEMA:
            raise RecordsError(
                f"{path} has schema {fields['schema']}; this version of harl_tf reads {SCHEMA}. "
                "Convert the photographs again, or use the version that wrote it."
            )
        manifest = _from_json(fields)
    except OSError as error:
        raise RecordsError(f"{path} cannot be opened: {error.strerror or error}.") from error
    except KeyError as error:
        raise RecordsError(
            f"{path} is not a valid manifest: it has no {error}. Convert the photographs again."
        ) from error
    except (ValueError, TypeError) as error:
        raise RecordsError(
            f"{path} is not a valid manifest: {error}. Convert the photographs again."
        ) from error
    listing: tuple[Shard | File, ...] = (*manifest.shards, *manifest.files)
    for listed in listing:
        file = folder / listed.file
        size = file.stat().st_size if file.is_file() else None
        if size != listed.bytes:
            found = "is missing" if size is None else f"has {size}"
            raise RecordsError(
                f"{file} should have {listed.bytes} bytes; it {found}. "
                "Convert the photographs again."
            )
    return manifest


def _from_json(fields: dict[str, Any]) -> Manifest:
    # A later version of the same schema may say more.
    known = {field.name for field in dataclasses.fields(Manifest)}
    return Manifest(
        **{
            **{name: value for name, value in fields.items() if name in known},
            "classes": tuple(fields["classes"]),
            "shards": tuple(Shard(**shard) for shard in fields["shards"]),
            "left_out": tuple((name, reason) for name, reason in fields["left_out"]),
            "masks": tuple(MaskInfo(**mask) for mask in fields["masks"]),
            "flags": dict(fields["flags"]),
            "files": tuple(File(**file) for file in fields["files"]),
            "layout": tuple(fields.get("layout", ())),
        }
    )
