"""Checking a folder of records against its manifest, byte by byte and record by record."""

import collections
import dataclasses
import hashlib
import pathlib
import re

import cv2
import numpy as np
import tensorflow as tf
from google.protobuf import message

from harl_tf.data import manifest as manifests
from harl_tf.data import records


def verify(folder: str | pathlib.Path) -> manifests.Manifest:
    """Checks that a folder of records is complete and intact, down to the last record.

    Every shard must exist with its size, checksum and number of records, there may be no other
    shards, and the files for TensorFlow Datasets must be unchanged. Every image and mask must
    decode, images with TensorFlow and with OpenCV; a mask must have its image's size, its bit depth
    and no more regions than the manifest states. Names must be unique, qualities within [0, 1],
    labels must belong to a class, and flags must occur as often as the manifest states.

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
    seen = Seen()
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
class Seen:
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
    path: pathlib.Path, expected: int, manifest: manifests.Manifest, seen: Seen
) -> None:
    count = 0
    try:
        for serialized in tf.data.TFRecordDataset(str(path)):
            if reason := defect_of(serialized.numpy(), manifest, seen):
                raise manifests.RecordsError(f"{path}, record {count}{reason}.")
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


def defect_of(serialized: bytes, manifest: manifests.Manifest, seen: Seen) -> str | None:
    """What is wrong with a record.

    Args:
        serialized: The record, any bytes.
        manifest: The manifest of its folder.
        seen: What has been found in the records before; what this one holds is added.

    Returns:
        The record's name and what is wrong, to follow "record 3"; None if nothing is.

    Example:
        >>> manifest = manifests.Manifest({}, (), (), ())
        >>> defect_of(b"no record", manifest, Seen())
        ': it is no tf.train.Example'
    """
    further = [mask.name for mask in manifest.masks if mask.name != records.MASK]
    try:
        # TensorFlow's own parsers end the process over some bytes that are none.
        tf.train.Example.FromString(serialized)
        fields = records.parse(tf.constant(serialized), further)
    except message.DecodeError:
        return ": it is no tf.train.Example"
    except (tf.errors.OpError, UnicodeDecodeError) as error:  # the latter for what is quoted
        named = re.search(r"(?:Feature|Key): ([\w/]+)", str(error))
        return f": it lacks {named[1] if named else 'a field'}, or has it of another type"
    try:
        reason = _defect(fields, manifest, seen)
    except tf.errors.OpError as error:
        said = re.sub(r"\{\{.*?\}\} *", "", " ".join(error.message.split()))
        reason = f"it cannot be decoded: {said[:200]}"
    name = fields[records.NAME].numpy().decode(errors="replace")
    return None if reason is None else f" ({name}): {reason}"


def _defect(fields: dict[str, tf.Tensor], manifest: manifests.Manifest, seen: Seen) -> str | None:
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
    # Training decodes with OpenCV, labeled images are decoded by TensorFlow.
    if (other := _opencv_shape(fields[records.IMAGE].numpy())) != shape:
        return f"TensorFlow decodes the image to {shape}, OpenCV to {other or 'nothing'}"
    for mask in manifest.masks:
        is_main = mask.name == records.MASK
        png = fields[mask.name if is_main else records.FURTHER + mask.name]
        if reason := _mask_defect(png, mask, shape):
            return f"the mask {reason}" if is_main else f"the mask {mask.name} {reason}"
    return None


def _opencv_shape(jpeg: bytes) -> tuple[int, ...] | None:
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flags) if jpeg else None
    return None if pixels is None else pixels.shape[:2]


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
