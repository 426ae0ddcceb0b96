"""The files that let TensorFlow Datasets read a folder of records.

Owns the mapping of a record's features to those of TensorFlow Datasets. Afterwards
``tfds.builder_from_directory(folder).as_dataset(split="train")`` reads the folder, without this
package. The import is slow, so it is deferred until the files are written.
"""

import hashlib
import os
import pathlib
from typing import Any

import numpy as np

from harl_tf.data import manifest as manifests
from harl_tf.data import records

NAMES = ("dataset_info.json", "features.json", "label.labels.txt")
"""Names of the files; the last one is only written with labels."""


def write_tfds_files(
    folder: pathlib.Path, manifest: manifests.Manifest
) -> tuple[manifests.File, ...]:
    """Writes the files next to the shards.

    Args:
        folder: Folder of the shards.
        manifest: Manifest of the folder.

    Returns:
        The files, for the manifest.
    """
    import tensorflow_datasets as tfds

    template = tfds.core.ShardedFileTemplate(
        folder, dataset_name="photos", split="train", filetype_suffix="tfrecord"
    )
    split = tfds.core.SplitInfo(
        name="train",
        shard_lengths=[shard.records for shard in manifest.shards],
        num_bytes=sum(shard.bytes for shard in manifest.shards),
        filename_template=template,
    )
    tfds.folder_dataset.write_metadata(
        data_dir=folder,
        features=_features(manifest),
        split_infos=[split],
        filename_template=template,
        version="1.0.0",
        description="Photographs with foreground masks that no label was needed for.",
        check_data=False,
    )
    return tuple(describe(folder / name) for name in NAMES if (folder / name).is_file())


def describe(path: pathlib.Path) -> manifests.File:
    """Size and checksum of a file, which is flushed to disk: others write it, and may not."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        data = file.read()
    return manifests.File(path.name, len(data), hashlib.sha256(data).hexdigest())


def _features(manifest: manifests.Manifest) -> dict[str, Any]:
    import tensorflow_datasets as tfds

    def mask(bits: int) -> Any:
        dtype = np.uint16 if bits == 16 else np.uint8
        return tfds.features.Image(shape=(None, None, 1), dtype=dtype, encoding_format="png")

    features = {
        records.IMAGE: tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg"),
        records.MASK: mask(8),
        records.NAME: tfds.features.Text(),
        records.LABEL: tfds.features.Scalar(np.int64),
        records.QUALITY: tfds.features.Scalar(np.float32),
        records.FLAG: tfds.features.Text(),
    }
    # The names are stored one per line, which does not work for every possible folder name.
    if manifest.classes and _are_lines(manifest.classes):
        features[records.LABEL] = tfds.features.ClassLabel(names=list(manifest.classes))
    further = {info.name: mask(info.bits) for info in manifest.masks if info.name != records.MASK}
    if further:
        features[records.FURTHER.rstrip("/")] = further
    return features


def _are_lines(classes: tuple[str, ...]) -> bool:
    stripped = [name.strip() for name in classes]
    return stripped == list(classes) and all(
        name and len(name.splitlines()) == 1 for name in classes
    )
