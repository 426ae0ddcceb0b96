"""The record schema: how a photograph and its masks are stored, and nothing else.

Owns feature names, file names, encoding and parsing. Both packages use it; besides
``harl_tf.data.manifest`` it is the only module of ``harl_tf`` that ``mask_generation`` imports.
Feature and file names are those TensorFlow Datasets would use for a data set with these features.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import tensorflow as tf

IMAGE, MASK, NAME, LABEL = "image", "mask", "name", "label"
QUALITY, FLAG = "quality", "flag"
FURTHER = "masks/"
"""Prefix of the feature names of further masks."""
NO_LABEL = -1
"""Label of a record that has none."""
SHARD_PATTERN = "*.tfrecord-*"
"""Pattern of the file names of shards."""

_FEATURES = {
    IMAGE: tf.io.FixedLenFeature([], tf.string),
    MASK: tf.io.FixedLenFeature([], tf.string),
    NAME: tf.io.FixedLenFeature([], tf.string),
    LABEL: tf.io.FixedLenFeature([], tf.int64, default_value=NO_LABEL),
    QUALITY: tf.io.FixedLenFeature([], tf.float32),
    FLAG: tf.io.FixedLenFeature([], tf.string),
}
_BIT_DEPTH_AT = 24
"""Offset of the byte with a PNG's bit depth: after signature, chunk header and image size."""


class Record(NamedTuple):
    """One stored photograph.

    Attributes:
        image: JPEG bytes, RGB.
        mask: PNG bytes, one channel of 8 bits, 1 = foreground, of the image's height and width.
        name: Unique name, the photograph's path relative to its folder.
        label: Class index, or ``NO_LABEL``.
        quality: How far to trust the mask, within [0, 1], as judged by its method. Default: 1.
        flag: Why the mask should not be trusted, in a few words; empty if there is no reason.
        masks: PNG bytes of further masks of the image's size, by name: one channel of region
            numbers. The bit depth, 8 or 16, must be the same for all masks of a name.
    """

    image: bytes
    mask: bytes
    name: str
    label: int = NO_LABEL
    quality: float = 1.0
    flag: str = ""
    masks: Mapping[str, bytes] = MappingProxyType({})


def shard_name(index: int, count: int) -> str:
    """File name of a shard.

    Example:
        >>> shard_name(0, 4)
        'photos-train.tfrecord-00000-of-00004'
    """
    return f"photos-train.tfrecord-{index:05d}-of-{count:05d}"


def encode(record: Record) -> bytes:
    """Serializes a record as a ``tf.train.Example``.

    Args:
        record: The record.

    Returns:
        The bytes to write to a TFRecord file; equal records give equal bytes.

    Example:
        >>> parsed = parse(tf.constant(encode(Record(b"jpeg", b"png", "cat.jpg"))))
        >>> parsed["name"].numpy(), int(parsed["label"])
        (b'cat.jpg', -1)
    """

    def of_bytes(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    features = {
        IMAGE: of_bytes(record.image),
        MASK: of_bytes(record.mask),
        NAME: of_bytes(record.name.encode()),
        LABEL: tf.train.Feature(int64_list=tf.train.Int64List(value=[record.label])),
        QUALITY: tf.train.Feature(float_list=tf.train.FloatList(value=[record.quality])),
        FLAG: of_bytes(record.flag.encode()),
    }
    features |= {FURTHER + name: of_bytes(png) for name, png in record.masks.items()}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)


def parse(serialized: tf.Tensor, masks: Sequence[str] = ()) -> dict[str, tf.Tensor]:
    """Parses one record or several; image and masks stay compressed.

    Args:
        serialized: String tensor, as ``encode`` makes it: a scalar, or ``(batch,)``.
        masks: Names of further masks to parse as well. Default: none.

    Returns:
        Dict of scalars, or of ``(batch,)``: ``image``, ``mask``, ``name``, ``flag`` (strings),
        ``label`` (int64), ``quality`` (float32) and the further masks (strings), each under
        ``masks/`` plus its name.
    """
    further = {FURTHER + name: tf.io.FixedLenFeature([], tf.string) for name in masks}
    # Over some malformed bytes, the parsers of tf.train.Example end the process (TensorFlow 2.21).
    # That of SequenceExample, whose context an Example is on the wire, refuses them, and is as
    # fast.
    rows = tf.reshape(serialized, [-1])
    fields, *_ = tf.io.parse_sequence_example(rows, {**_FEATURES, **further})
    shape = tf.shape(serialized)
    return {name: tf.reshape(column, shape) for name, column in fields.items()}


def decode_image(jpeg: tf.Tensor) -> tf.Tensor:
    """Decodes a record's image to ``(height, width, 3)`` uint8."""
    return tf.io.decode_jpeg(jpeg, channels=3)


def decode_mask(png: tf.Tensor) -> tf.Tensor:
    """Decodes a record's mask to ``(height, width)`` uint8, 1 = foreground."""
    return tf.io.decode_png(png, channels=1)[..., 0]


def bits(png: tf.Tensor) -> tf.Tensor:
    """Bit depth of a PNG, a uint8 scalar.

    Example:
        >>> int(bits(tf.io.encode_png(np.zeros((1, 1, 1), np.uint16))))
        16
    """
    return tf.io.decode_raw(tf.strings.substr(png, _BIT_DEPTH_AT, 1), tf.uint8)[0]


def decode_regions(png: tf.Tensor) -> tf.Tensor:
    """Decodes a mask of 8 or 16 bits to ``(height, width)`` int32 region numbers.

    Example:
        >>> ids = np.array([[[0], [300]]], np.uint16)
        >>> decode_regions(tf.io.encode_png(ids)).numpy().tolist()
        [[0, 300]]
    """
    # Decoding an 8-bit PNG as 16 bits rescales it to 65535; decoding 16 bits as 8 loses the low
    # byte.
    ids = tf.cond(
        bits(png) == 16,
        lambda: tf.cast(tf.io.decode_png(png, channels=1, dtype=tf.uint16), tf.int32),
        lambda: tf.cast(tf.io.decode_png(png, channels=1), tf.int32),
    )
    return tf.ensure_shape(ids, (None, None, 1))[..., 0]
