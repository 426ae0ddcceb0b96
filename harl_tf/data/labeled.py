"""Labeled photographs for probes and fine-tuning: unaugmented, square and not distorted."""

import pathlib
from collections.abc import Callable

import tensorflow as tf

from harl_tf.data import records
from harl_tf.data.manifest import RecordsError, read_manifest, warn_of_quarantine
from harl_tf.data.shard_files import OPEN_SHARDS, ShardFiles, told_of_damage

_SHUFFLED = 8192
"""Largest size of the shuffle buffer, in records, which stay compressed."""


def labeled_images(
    folder: str | pathlib.Path,
    image_size: int,
    batch_size: int = 64,
    keep: Callable[[tf.Tensor], tf.Tensor] | None = None,
    shuffle_seed: int | None = None,
) -> tf.data.Dataset:
    """Images and labels of a folder of records, each image with a label once.

    Images keep their aspect: the largest central square is scaled to ``image_size``. Papers often
    scale the shorter side to 256 and then cut out 224 pixels; here nothing else is cut off, because
    that share is one more number to choose, and small sets have objects close to the border.

    Args:
        folder: Folder of records made from class folders.
        image_size: Side that the central square of an image is scaled to, in pixels.
        batch_size: Images per batch; the last batch may be smaller. Default: 64.
        keep: Optional function from a record's name (scalar string tensor) to a bool tensor that
            selects a part of the set, such as ``in_first_half``. The manifest does not list names,
            so with it the records are read once just to count them. Default: all records with a
            label, whose number the manifest knows.
        shuffle_seed: Seed for a new random order in every epoch. Set it for training, because
            records are stored class by class. Default: None, the order of the records.

    Returns:
        A ``tf.data.Dataset`` of ``(images, labels)``: uint8 ``(batch, size, size, 3)`` and int64
        ``(batch,)``.

    Raises:
        RecordsError: If the folder is incomplete or its records have no labels.

    Example:
        ::

            train = harl_tf.data.labeled_images("records", 96, keep=harl_tf.data.in_first_half)
    """
    manifest = read_manifest(folder)
    if not manifest.classes:
        raise RecordsError(
            f"{folder} has no labels. Convert a folder with one subfolder per class to get them."
        )
    warn_of_quarantine(folder)
    files = ShardFiles(folder, manifest)
    paths = tf.data.Dataset.from_tensor_slices(files.paths)
    if shuffle_seed is None:
        serialized = paths.flat_map(files.open)
    else:  # records are stored class by class, and the buffer below holds only some of them
        paths = paths.shuffle(len(files.paths), seed=shuffle_seed)
        serialized = paths.interleave(files.open, cycle_length=min(len(files.paths), OPEN_SHARDS))
    # Photographs beside the class folders have -1.
    parsed = serialized.map(records.parse).filter(lambda fields: fields[records.LABEL] >= 0)
    count = sum(manifest.class_counts.values()) if manifest.class_counts else manifest.records
    if keep is not None:
        parsed = parsed.filter(lambda fields: keep(fields[records.NAME]))
        with told_of_damage():
            count = int(parsed.reduce(tf.constant(0, tf.int64), lambda total, _: total + 1))
    # Told up front: Keras warns about data sets whose length it only learns at their end.
    parsed = parsed.apply(tf.data.experimental.assert_cardinality(count))
    if shuffle_seed is not None and count:
        parsed = parsed.shuffle(min(count, _SHUFFLED), seed=shuffle_seed)

    def decode(fields: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        image = _central_square(records.decode_image(fields[records.IMAGE]))
        image = tf.image.resize(image, (image_size, image_size), antialias=True)
        return tf.cast(tf.round(image), tf.uint8), fields[records.LABEL]

    images = parsed.map(decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    options = tf.data.Options()
    options.autotune.enabled = False  # As in PairedViews: its thread delays the end of a pass.
    return images.batch(batch_size).prefetch(2).with_options(options)


def _central_square(image: tf.Tensor) -> tf.Tensor:
    """Cut before scaling, so that no side is rounded and nothing is scaled that is cut off."""
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    side = tf.minimum(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def in_first_half(name: tf.Tensor) -> tf.Tensor:
    """Whether a record belongs to the first half of a split by the hash of its name.

    Args:
        name: A name, or many; strings.

    Example:
        >>> bool(in_first_half("ant/1.jpg")) != bool(in_second_half("ant/1.jpg"))
        True
    """
    return tf.equal(tf.strings.to_hash_bucket_fast(name, 2), 0)


def in_second_half(name: tf.Tensor) -> tf.Tensor:
    """Whether a record belongs to the other half."""
    return tf.logical_not(in_first_half(name))
