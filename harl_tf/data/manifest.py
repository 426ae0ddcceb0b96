"""The manifest: what a folder of records holds, so that nothing can go missing silently.

Owns ``manifest.json``, its schema and its checks. A TFRecord file cut off between two records reads
as a shorter file without any error; the counts and checksums here are what notices.
"""

import dataclasses
import hashlib
import json
import os
import pathlib

FILE_NAME = "manifest.json"
SCHEMA = 1


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
class Skip:
    """A photograph that was left out, and why."""

    name: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a folder of records holds.

    Attributes:
        method: Name of the mask method and its settings.
        classes: Class names in the order of their labels; empty without labels.
        shards: The TFRecord files.
        skipped: Photographs left out.
        schema: Version of this form.
    """

    method: dict[str, str | int | float]
    classes: tuple[str, ...]
    shards: tuple[Shard, ...]
    skipped: tuple[Skip, ...] = ()
    schema: int = SCHEMA

    @property
    def records(self) -> int:
        """Number of records in all shards."""
        return sum(shard.records for shard in self.shards)

    def digest(self) -> str:
        """A short fingerprint of the records, the same for the same records.

        Example:
            >>> Manifest({}, (), ()).digest() == Manifest({}, (), ()).digest()
            True
        """
        text = json.dumps([shard.sha256 for shard in self.shards])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def write(self, folder: pathlib.Path) -> None:
        """Writes ``manifest.json`` into a folder and forces it to disk."""
        text = json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False)
        with (folder / FILE_NAME).open("w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())


def read_manifest(folder: str | pathlib.Path) -> Manifest:
    """Reads a folder's manifest and checks that every shard has its recorded size.

    Args:
        folder: Folder that ``mask_generation.convert`` wrote.

    Returns:
        The manifest.

    Raises:
        RecordsError: If there is no manifest, it cannot be read, or a shard is missing or of
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
                f"{path} has schema {fields['schema']}; this version of harl_tf reads {SCHEMA}."
            )
        fields["shards"] = tuple(Shard(**shard) for shard in fields["shards"])
        fields["skipped"] = tuple(Skip(**skip) for skip in fields["skipped"])
        fields["classes"] = tuple(fields["classes"])
        manifest = Manifest(**fields)
    except OSError as error:
        raise RecordsError(f"{path} cannot be opened: {error.strerror or error}.") from error
    except KeyError as error:
        raise RecordsError(
            f"{path} is no manifest of records: it has no {error}. Convert the photographs again."
        ) from error
    except (ValueError, TypeError) as error:
        raise RecordsError(
            f"{path} is no manifest of records: {error}. Convert the photographs again."
        ) from error
    for shard in manifest.shards:
        file = folder / shard.file
        size = file.stat().st_size if file.is_file() else None
        if size != shard.bytes:
            found = "is missing" if size is None else f"has {size}"
            raise RecordsError(
                f"{file} should have {shard.bytes} bytes; it {found}. "
                "Convert the photographs again."
            )
    return manifest
