"""What is wrong with a file of a folder of records, byte by byte.

Owns the comparison of a file with what the manifest says of it. What its records hold is not looked
at.
"""

import hashlib
import pathlib

import tensorflow as tf

from harl_tf.data.manifest.contents import File, Shard
from harl_tf.data.manifest.reading import wrong_size


def damage(path: pathlib.Path, expected: Shard | File) -> str | None:
    """What is wrong with a file.

    Args:
        path: The file.
        expected: What the manifest says of it.

    Returns:
        What is wrong, in words that follow the file's name and name the first damaged record, if
        there is one; None if every byte is as it was written.

    Example:
        >>> damage(pathlib.Path("no/such/file"), File("file", 3, ""))
        'should have 3 bytes; it is missing'
    """
    wrong = wrong_size(path, expected.bytes)
    if wrong and not path.is_file():
        return wrong
    try:
        with path.open("rb") as file:
            if not wrong and hashlib.file_digest(file, "sha256").hexdigest() == expected.sha256:
                return None
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    record = _damaged_record(path) if isinstance(expected, Shard) else None
    return record or wrong or "has changed: its SHA-256 is not the manifest's"


def _damaged_record(path: pathlib.Path) -> str | None:
    """The first record whose own checksum is wrong, in words."""
    count = 0
    try:
        for _ in tf.data.TFRecordDataset(str(path)):
            count += 1
    except tf.errors.OpError as error:
        return f"is damaged at record {count}: {in_words(error)}"
    return None


def in_words(error: tf.errors.OpError) -> str:
    """What TensorFlow says, without the names of its operations.

    Example:
        >>> in_words(tf.errors.DataLossError(None, None, "{{function x}} corrupted [Op:Next]"))
        'corrupted'
    """
    return " ".join(error.message.split("[Op:")[0].split("}} ")[-1].split())
