"""Records for measurements, and their stored fields."""

import pathlib
from collections.abc import Iterator

import harl_tf  # noqa: F401  # isort: skip  (before TensorFlow: turns oneDNN on)
import tensorflow as tf

import mask_generation
from benchmarks.harness import photographs
from harl_tf.data import records as schema


def make(work: pathlib.Path, source: str | pathlib.Path | None = None) -> pathlib.Path:
    """Makes records of all photographs, with the fastest masks.

    Args:
        work: A folder to work in.
        source: Folder of photographs. Default: crops of scikit-image's.

    Returns:
        The folder of the records.
    """
    if source is None:
        source = work / "photographs"
        source.mkdir()
        photographs.cut_into(source)
    records = work / "records"
    mask_generation.convert(source, records, "fast", flagged="keep", progress=False)
    return records


def serialized(folder: pathlib.Path) -> tf.data.Dataset:
    """The records in order, one string each."""
    return tf.data.TFRecordDataset(sorted(map(str, folder.glob(schema.SHARD_PATTERN))))


def fields(folder: pathlib.Path) -> Iterator[dict[str, tf.Tensor]]:
    """The records, parsed; images and masks stay compressed."""
    return map(schema.parse, serialized(folder))
