"""Checking a folder of records against its manifest, byte by byte and record by record."""

import collections
import dataclasses
import hashlib
import pathlib

import numpy as np
import tensorflow as tf

from harl_tf.data import manifest as manifests
from harl_tf.data import records


def verify(folder: str | pathlib.Path) -> manifests.Manifest:
    """Checks that a folder of records is complete and intact, down to the last record.

    Every shard must exist with its size, checksum and number of records, there may be no other
    shards, and the files for TensorFlow Datasets must be unchanged. Every image and mask must
    decode; a mask must have its image's size, its bit depth and no more regions than the manifest
    states. Names must be unique, qualities within [0, 1], labels must belong to a class, and flags
    must occur as often as the manifest states.

    Args:
        folder: Folder that ``convert`` wrote.

    Returns:
        The manifest.

    Raises:
        RecordsError: If something is wrong, naming the first bad file and record.

    Example:
        >>> verify("no/such/folder")
        Traceback (most recent call last):
        harl_tf.data.manifest.RecordsError: no/such/folder is not a folder of records: ...
    """
    folder = pathlib.Path(folder)
    manifest = manifests.read_manifest(folder)
    expected = {shard.file for shard in manifest.shards}
    for path in sorted(folder.glob(records.SHARD_PATTERN)):
        if path.name not in expected:
            raise manifests.RecordsError(
                f"{path} is not in the manifest. Remove it, or convert the photographs again."
            )
    for file in manifest.files:
        _verify_checksum(folder / file.file, file.sha256)
    seen = _Seen()
    for shard in manifest.shards:
        _verify_checksum(folder / shard.file, shard.sha256)
        _verify_shard(folder / shard.file, shard.records, manifest, seen)
    if dict(seen.flags) != manifest.flags:
        raise manifests.RecordsError(
            f"{folder} should have records with these flags according to the manifest: "
            f"{manifest.flags}; it has {dict(seen.flags)}. Convert the photographs again."
        )
    return manifest


@dataclasses.dataclass
class _Seen:
    """What has been found in the records read so far."""

    names: set[bytes] = dataclasses.field(default_factory=set)
    flags: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)


def _verify_checksum(path: pathlib.Path, expected: str) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != expected:
        raise manifests.RecordsError(
            f"{path} has changed: its SHA-256 is not the manifest's. Convert the photographs again."
        )


def _verify_shard(
    path: pathlib.Path, expected: int, manifest: manifests.Manifest, seen: _Seen
) -> None:
    count = 0
    try:
        for serialized in tf.data.TFRecordDataset(str(path)):
            if reason := _defect(serialized, manifest, seen):
                name = records.parse(serialized)[records.NAME].numpy().decode(errors="replace")
                raise manifests.RecordsError(f"{path}, record {count} ({name}): {reason}.")
            count += 1
    except tf.errors.OpError as error:
        raise manifests.RecordsError(
            f"{path} is damaged at record {count}: {' '.join(error.message.split())}. "
            "Convert the photographs again."
        ) from error
    if count != expected:
        raise manifests.RecordsError(
            f"{path} should have {expected} records according to the manifest; it has {count}. "
            "Convert the photographs again."
        )


def _defect(serialized: tf.Tensor, manifest: manifests.Manifest, seen: _Seen) -> str | None:
    """What is wrong with a record, or None; its contents are added to ``seen``."""
    further = [mask.name for mask in manifest.masks if mask.name != records.MASK]
    fields = records.parse(serialized, further)
    name, label = fields[records.NAME].numpy(), int(fields[records.LABEL])
    quality = float(fields[records.QUALITY])
    if name in seen.names:
        return "the name occurs twice"
    seen.names.add(name)
    if flag := fields[records.FLAG].numpy().decode(errors="replace"):
        seen.flags[flag] += 1
    if not 0 <= quality <= 1:
        return f"the quality is {quality}, not within [0, 1]"
    if label != records.NO_LABEL and not 0 <= label < len(manifest.classes):
        return f"the label {label} belongs to none of {len(manifest.classes)} classes"
    shape = tuple(records.decode_image(fields[records.IMAGE]).shape[:2])
    for mask in manifest.masks:
        is_main = mask.name == records.MASK
        png = fields[mask.name if is_main else records.FURTHER + mask.name]
        if reason := _mask_defect(png, mask, shape):
            return f"the mask {reason}" if is_main else f"the mask {mask.name} {reason}"
    return None


def _mask_defect(png: tf.Tensor, mask: manifests.MaskInfo, shape: tuple[int, ...]) -> str | None:
    bits = records.bits(png)
    if bits != mask.bits:
        return f"has {bits} bits, not {mask.bits}"
    ids = records.decode_regions(png).numpy()
    if ids.shape != shape:
        return f"is {ids.shape}, the image {shape}"
    if ids.max(initial=0) >= mask.regions:
        other = np.unique(ids[ids >= mask.regions])
        known = "0 and 1" if mask.regions == 2 else f"0 to {mask.regions - 1}"
        return f"has values other than {known}, such as {other[0]}"
    return None
