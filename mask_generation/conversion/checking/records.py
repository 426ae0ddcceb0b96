"""What the records of a folder hold: whether everything that reads them can.

Owns the checks of one record, with every decoder in use, and of what occurs once in a folder. The
bytes of the files are ``harl_tf.data.manifest.integrity``'s.
"""

import collections
import dataclasses
import pathlib
import re

import cv2
import numpy as np
import tensorflow as tf

from harl_tf.data import manifest as manifests
from harl_tf.data import records
from mask_generation.inputs.file_names import printable
from mask_generation.reason import reason_of


@dataclasses.dataclass
class Seen:
    """What has been found in the records read so far."""

    names: set[bytes] = dataclasses.field(default_factory=set)
    flags: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    labels: collections.Counter[int] = dataclasses.field(default_factory=collections.Counter)

    def add(self, other: "Seen") -> None:
        """Adds what has been found elsewhere."""
        self.names |= other.names
        self.flags += other.flags
        self.labels += other.labels

    def class_counts(self, manifest: manifests.Manifest) -> dict[str, int]:
        """Number of records per class."""
        return {name: self.labels[label] for label, name in enumerate(manifest.classes)}


def defect_in(
    path: pathlib.Path, shard: manifests.Shard, manifest: manifests.Manifest, seen: Seen
) -> str | None:
    """What is wrong with the records of a shard whose bytes are as they were written.

    Args:
        path: The file.
        shard: What the manifest says of it.
        manifest: The manifest of its folder.
        seen: What has been found in the shards before; what this one holds is added if it is whole.

    Returns:
        The first bad record and what is wrong with it, to follow the file's name; None if nothing
        is.
    """
    count, here = 0, Seen()
    try:
        for serialized in tf.data.TFRecordDataset(str(path)):
            if reason := defect_of(serialized.numpy(), manifest, here):
                return f"is wrong in record {count}{reason}"
            count += 1
    except tf.errors.OpError as error:
        return f"is damaged at record {count}: {manifests.in_words(error)}"
    if count != shard.records:
        return f"should have {shard.records} records according to the manifest; it has {count}"
    if twice := here.names & seen.names:
        name = printable(min(twice).decode(errors="replace"))
        return f"is wrong in record ({name}): the name occurs in another shard, too"
    seen.add(here)
    return None


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
        fields = records.parse(tf.constant(serialized), further)
    except (tf.errors.OpError, UnicodeDecodeError) as error:  # the latter for what is quoted
        if "Invalid protocol message" in str(error):
            return ": it is no tf.train.Example"
        named = re.search(r"[Ff]eature:? ([\w/]+)", str(error))
        return f": it lacks {named[1] if named else 'a field'}, or has it of another type"
    try:
        reason = _defect(fields, manifest, seen)
    except tf.errors.OpError as error:
        said = re.sub(r"\{\{.*?\}\} *", "", error.message)
        reason = f"it cannot be decoded: {reason_of(said)}"
    name = printable(fields[records.NAME].numpy().decode(errors="replace"))
    return None if reason is None else f" ({name}): {reason}"


def _defect(fields: dict[str, tf.Tensor], manifest: manifests.Manifest, seen: Seen) -> str | None:
    name, label = fields[records.NAME].numpy(), int(fields[records.LABEL])
    quality = float(fields[records.QUALITY])
    if name in seen.names:
        return "the name occurs twice"
    seen.names.add(name)
    seen.labels[label] += 1
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
