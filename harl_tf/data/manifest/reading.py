"""Reading a folder's manifest, and the checks that cost next to nothing.

Owns what is refused when a folder is opened. A TFRecord file truncated between two records reads as
a shorter file without any error; only the sizes and counts here detect it.
"""

import dataclasses
import json
import os
import pathlib
from typing import Any

from harl_tf.data.manifest.contents import FILE_NAME, SCHEMA, File, Manifest, MaskInfo, Shard
from harl_tf.data.manifest.errors import RecordsError, how_to_mend
from harl_tf.data.manifest.quarantine import Quarantine
from harl_tf.data.manifest.seal import SEAL, unsealed

_LONGEST_NAME = 255
"""Bytes of a file's name, in the file systems in use."""


def read_manifest(folder: str | pathlib.Path) -> Manifest:
    """Reads a folder's manifest and checks that every file has its recorded size.

    Shards that the user has put in quarantine are neither checked nor part of the result.

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
        harl_tf.data.manifest.errors.RecordsError: no/such/folder is not a folder of records: ...
    """
    folder = pathlib.Path(folder)
    manifest = stated_manifest(folder)
    if (quarantine := Quarantine.read(folder)) is not None:
        manifest = quarantine.rest(manifest, folder)
    for listed in manifest.listed:
        if wrong := wrong_size(folder / listed.file, listed.bytes):
            raise RecordsError(f"{folder / listed.file} {wrong}. {how_to_mend(folder)}")
    return manifest


def wrong_size(path: pathlib.Path, expected: int) -> str | None:
    """What is wrong with a file's size, in words that follow its name; None if nothing is.

    Example:
        >>> wrong_size(pathlib.Path("no/such/file"), 3)
        'should have 3 bytes; it is missing'
    """
    size = path.stat().st_size if path.is_file() else None
    if size == expected:
        return None
    return f"should have {expected} bytes; it {'is missing' if size is None else f'has {size}'}"


def stated_manifest(folder: str | pathlib.Path) -> Manifest:
    """Reads a folder's manifest, without a look at the other files.

    Args:
        folder: Folder that ``mask_generation.convert`` wrote.

    Returns:
        The manifest.

    Raises:
        RecordsError: If there is no manifest, or it cannot be read.
    """
    path = pathlib.Path(folder) / FILE_NAME
    if not path.is_file():
        raise RecordsError(
            f"{folder} is not a folder of records: it has no {FILE_NAME}. "
            "Make one with: python -m mask_generation convert PHOTOS RECORDS."
        )
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields["schema"] != SCHEMA:
            raise RecordsError(
                f"{path} has schema {fields['schema']!r:.50}; this version of harl_tf reads "
                f"{SCHEMA}. Convert the photographs again, or use the version that wrote it."
            )
        # Manifests of earlier versions have neither.
        if "images_per_shard" in fields or SEAL in fields:
            fields = unsealed(fields)
        return _from_json(fields)
    except OSError as error:
        raise RecordsError(f"{path} cannot be opened: {error.strerror or error}.") from error
    except KeyError as error:
        raise RecordsError(
            f"{path} is not a valid manifest: it has no {error}. Convert the photographs again."
        ) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise RecordsError(
            f"{path} is not a valid manifest: {error!s:.300}. Convert the photographs again."
        ) from error


def _from_json(fields: dict[str, Any]) -> Manifest:
    # A later version of the same schema may say more.
    known = {field.name for field in dataclasses.fields(Manifest)}
    manifest = Manifest(
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
    for listed in manifest.listed:
        _check_listed(listed)
    return manifest


def _check_listed(listed: Shard | File) -> None:
    """A manifest may come from a stranger, and files are read and repaired by what it says."""
    if not isinstance(listed.file, str) or (
        not 0 < len(os.fsencode(listed.file)) <= _LONGEST_NAME
        or pathlib.PurePath(listed.file).name != listed.file
    ):
        raise ValueError(f"it names {listed.file!r:.200}, which is not a file of its folder")
    counts = (listed.bytes, listed.records) if isinstance(listed, Shard) else (listed.bytes,)
    if any(type(count) is not int or count < 0 for count in counts):
        raise ValueError(f"the counts of {listed.file} are not whole numbers")
