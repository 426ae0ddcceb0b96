"""The shards that streams read, and the name of the one that turns out to be damaged.

Owns how a stream opens a shard. TensorFlow checks every record by its own checksum, but its error
names no file, and it reads a file that was cut between two records as a shorter one.
"""

import contextlib
import itertools
import pathlib
import weakref
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from harl_tf.data.manifest import Manifest, RecordsError, damage, how_to_mend, wrong_size
from harl_tf.data.python_calls import numpy_call

OPEN_SHARDS = 96
"""Shards that a shuffled stream reads at once: enough to mix classes that are stored one after the
other, and few enough for three streams under the limits that systems set for open files."""

_in_use: "weakref.WeakValueDictionary[int, ShardFiles]" = weakref.WeakValueDictionary()
"""In the order in which they were opened."""

_number = itertools.count()


class ShardFiles:
    """The shards of a folder, to be opened by a stream.

    Args:
        folder: Folder of records.
        manifest: Its manifest.

    Attributes:
        folder: The folder.
        manifest: Its manifest.

    Example:
        ::

            files = ShardFiles("records", read_manifest("records"))
            serialized = tf.data.Dataset.from_tensor_slices(files.paths).flat_map(files.open)
    """

    def __init__(self, folder: str | pathlib.Path, manifest: Manifest) -> None:
        self.folder, self.manifest = pathlib.Path(folder), manifest
        self._shards = {str(self.folder / shard.file): shard for shard in manifest.shards}
        _in_use[next(_number)] = self

    @property
    def paths(self) -> list[str]:
        """The files, in order."""
        return list(self._shards)

    def open(self, path: tf.Tensor) -> tf.data.Dataset:
        """The records of a shard, whose size is looked at first.

        Args:
            path: One of ``paths``, a scalar.
        """
        checked = numpy_call(self._of_its_size, [path], [tf.string])[0]
        return tf.data.TFRecordDataset(tf.ensure_shape(checked, ()))

    def find_damage(self) -> str | None:
        """A sentence on the first damaged shard; None if all are whole."""
        shards = [(pathlib.Path(path), shard) for path, shard in self._shards.items()]
        # Sizes first, which cost nothing.
        of_wrong_size = [pair for pair in shards if wrong_size(pair[0], pair[1].bytes)]
        for path, shard in of_wrong_size[:1] or shards:
            if wrong := damage(path, shard):
                return f"{path} {wrong}. {how_to_mend(self.folder)}"
        return None

    def _of_its_size(self, path: bytes) -> np.ndarray:
        """The path; called whenever the shard is opened, perhaps days after the start."""
        shard = self._shards[name := path.decode()]
        if wrong := wrong_size(pathlib.Path(name), shard.bytes):
            raise RecordsError(f"{name} {wrong}.")
        return np.array(path, object)


@contextlib.contextmanager
def told_of_damage() -> Iterator[None]:
    """Turns TensorFlow's error about a damaged shard into one that names shard and record.

    Raises:
        RecordsError: If a stream failed within the block, and one of its shards is damaged.

    Example:
        >>> with told_of_damage():
        ...     sum(range(3))
        3
    """
    try:
        yield
    except tf.errors.OpError as error:
        if isinstance(error, tf.errors.DataLossError) or RecordsError.__name__ in error.message:
            for files in reversed(list(_in_use.values())):
                if sentence := files.find_damage():
                    raise RecordsError(sentence) from None
        raise
