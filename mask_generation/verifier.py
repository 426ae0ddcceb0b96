"""Checking a folder of records against its manifest, byte by byte and record by record."""

import hashlib
import pathlib

import tensorflow as tf

from harl_tf.data import manifest as manifests
from harl_tf.data import records


def verify(folder: str | pathlib.Path) -> manifests.Manifest:
    """Checks that a folder of records is whole, to the last record.

    Every shard must be there with its size, checksum and number of records, no other shard may be;
    every image and mask must decode, and a mask must have its image's size and only 0 and 1 in it.

    Args:
        folder: Folder that ``convert`` wrote.

    Returns:
        The manifest.

    Raises:
        RecordsError: Naming the first shard and record that is not as it should be.

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
    names: set[bytes] = set()
    for shard in manifest.shards:
        path = folder / shard.file
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != shard.sha256:
            raise manifests.RecordsError(
                f"{path} has changed: its SHA-256 is not the manifest's. "
                "Convert the photographs again."
            )
        _verify_records(path, shard.records, names)
    return manifest


def _verify_records(path: pathlib.Path, expected: int, names: set[bytes]) -> None:
    count = 0
    try:
        for serialized in tf.data.TFRecordDataset(str(path)):
            fields = records.parse(serialized)
            name = fields[records.NAME].numpy()
            image = records.decode_image(fields[records.IMAGE])
            mask = records.decode_mask(fields[records.MASK])
            where = f"{path}, record {count} ({name.decode(errors='replace')})"
            if name in names:
                raise manifests.RecordsError(f"{where}: the name occurs twice.")
            if image.shape[:2] != mask.shape:
                raise manifests.RecordsError(
                    f"{where}: the mask is {mask.shape}, the image {image.shape[:2]}."
                )
            if int(tf.reduce_max(mask)) > 1:
                raise manifests.RecordsError(f"{where}: the mask has values other than 0 and 1.")
            names.add(name)
            count += 1
    except tf.errors.OpError as error:
        raise manifests.RecordsError(
            f"{path} is damaged at record {count}: {' '.join(error.message.split())}"
        ) from error
    if count != expected:
        raise manifests.RecordsError(
            f"{path} should have {expected} records by the manifest; it has {count}. "
            "Convert the photographs again."
        )
