"""Inspecting the masks of a folder of records.

Owns the two passes over the shards: statistics of all records, without decoding photographs, then
the selected ones in full. Records contain no saliency; if their method can be called by name, it is
recomputed.
"""

import contextlib
import pathlib
from collections.abc import Iterator

import tensorflow as tf

from harl_tf.data import manifest as manifests
from harl_tf.data import records
from mask_generation.foreground import foreground_mask
from mask_generation.left_out import LeftOut
from mask_generation.methods import METHODS
from mask_generation.previews.pictures import Numbers, Picture
from mask_generation.reason import reason_of


class InspectedRecords:
    """A folder of records to look at.

    Attributes:
        method: Name of the method its masks were made with.

    Args:
        folder: Folder that ``convert`` wrote.

    Raises:
        RecordsError: If the folder is incomplete.

    Example:
        >>> InspectedRecords("no/such/folder")
        Traceback (most recent call last):
        harl_tf.data.manifest.errors.RecordsError: no/such/folder is not a folder of records: ...
    """

    def __init__(self, folder: str | pathlib.Path):
        self._folder = pathlib.Path(folder)
        self._manifest = manifests.read_manifest(folder)
        manifests.warn_of_quarantine(folder)
        self.method = str(self._manifest.method.get("name", "unknown"))

    @property
    def total(self) -> int:
        """Number of photographs that were converted, including those left out."""
        return self._manifest.records + len(self._manifest.left_out)

    def numbers(self) -> Iterator[Numbers | LeftOut]:
        """Reads every record once and decodes its mask."""
        each = self._serialized().map(_numbers, num_parallel_calls=2)
        with self._whole():
            for index, (quality, share, flag) in each.enumerate().as_numpy_iterator():
                yield Numbers(int(index), float(quality), float(share), _text(flag))
        for name, reason in self._manifest.left_out:
            yield LeftOut(name, reason)

    def pictures(self, chosen: set[int]) -> Iterator[Picture]:
        """Decodes the selected records, and computes their saliency if the method is known."""
        wanted = tf.constant(sorted(chosen), tf.int64)
        numbered = self._serialized().enumerate()
        with self._whole():
            for index, serialized in numbered.filter(lambda i, _: tf.reduce_any(i == wanted)):
                yield self._picture(int(index), serialized)

    def _picture(self, index: int, serialized: tf.Tensor) -> Picture:
        fields = records.parse(serialized)
        quality, share, flag = _numbers(serialized)
        image = records.decode_image(fields[records.IMAGE]).numpy()
        saliency = None
        if self.method in METHODS:
            saliency = foreground_mask(image, method=self.method).saliency
        return Picture(
            name=_text(fields[records.NAME].numpy()),
            numbers=Numbers(index, float(quality), float(share), _text(flag.numpy())),
            image=image,
            mask=records.decode_mask(fields[records.MASK]).numpy(),
            saliency=saliency,
        )

    def _serialized(self) -> tf.data.Dataset:
        files = [str(self._folder / shard.file) for shard in self._manifest.shards]
        return tf.data.TFRecordDataset(files)

    @contextlib.contextmanager
    def _whole(self) -> Iterator[None]:
        """Reports a damaged shard in one line."""
        try:
            yield
        except tf.errors.OpError as error:
            for shard in self._manifest.shards:
                if wrong := manifests.damage(path := self._folder / shard.file, shard):
                    advice = manifests.how_to_mend(self._folder)
                    raise manifests.RecordsError(f"{path} {wrong}. {advice}") from error
            raise manifests.RecordsError(
                f"{self._folder} holds what cannot be decoded: {reason_of(error)}. "
                "Convert the photographs again."
            ) from error


def _text(data: bytes) -> str:
    """What a record says, whatever bytes those are."""
    return data.decode(errors="backslashreplace")


def _numbers(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Quality, share of foreground and flag of a record, as scalars."""
    fields = records.parse(serialized)
    mask = records.decode_mask(fields[records.MASK])
    share = tf.reduce_mean(tf.cast(mask > 0, tf.float32))
    return fields[records.QUALITY], share, fields[records.FLAG]
