"""The record schema: how a photograph and its mask are stored, and nothing else.

Owns feature names, file names, encoding and parsing. Both packages use it; it is the only module of
``harl_tf`` that ``mask_generation`` imports, besides the manifest beside it. Feature and file names
are those that TensorFlow Datasets gives a data set of these features.
"""

from typing import NamedTuple

import tensorflow as tf

IMAGE, MASK, NAME, LABEL = "image", "mask", "name", "label"
NO_LABEL = -1
"""Label of a record without one."""
SHARD_PATTERN = "*.tfrecord-*"
"""What the file names of shards match."""

_FEATURES = {
    IMAGE: tf.io.FixedLenFeature([], tf.string),
    MASK: tf.io.FixedLenFeature([], tf.string),
    NAME: tf.io.FixedLenFeature([], tf.string),
    LABEL: tf.io.FixedLenFeature([], tf.int64, default_value=NO_LABEL),
}


class Record(NamedTuple):
    """One stored photograph.

    Attributes:
        image: JPEG bytes, RGB.
        mask: PNG bytes, one channel of 8 bits, 1 = foreground, of the image's height and width.
        name: Unique name, the photograph's path relative to its folder.
        label: Class index, or ``NO_LABEL``.
    """

    image: bytes
    mask: bytes
    name: str
    label: int = NO_LABEL


def shard_name(index: int, count: int) -> str:
    """File name of a shard.

    Example:
        >>> shard_name(0, 4)
        'photos-train.tfrecord-00000-of-00004'
    """
    return f"photos-train.tfrecord-{index:05d}-of-{count:05d}"


def encode(record: Record) -> bytes:
    """Serialises a record as a ``tf.train.Example``.

    Args:
        record: The record.

    Returns:
        The bytes to write into a TFRecord file; the same for the same record.

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
    }
    if record.label != NO_LABEL:
        features[LABEL] = tf.train.Feature(int64_list=tf.train.Int64List(value=[record.label]))
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)


def parse(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
    """Parses one record; image and mask stay compressed.

    Args:
        serialized: Scalar string tensor, as ``encode`` makes it.

    Returns:
        Dict of scalars ``image``, ``mask``, ``name`` (strings) and ``label`` (int64).
    """
    return tf.io.parse_single_example(serialized, _FEATURES)


def decode_image(jpeg: tf.Tensor) -> tf.Tensor:
    """Decodes a record's image to ``(height, width, 3)`` uint8."""
    return tf.io.decode_jpeg(jpeg, channels=3)


def decode_mask(png: tf.Tensor) -> tf.Tensor:
    """Decodes a record's mask to ``(height, width)`` uint8, 1 = foreground."""
    return tf.io.decode_png(png, channels=1)[..., 0]
