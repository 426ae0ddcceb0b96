"""One TFRecord file of a folder of records, written atomically.

Owns how results become a file and what is known about it afterwards. It knows neither which shards
there are nor who computes the results.
"""

import collections
import dataclasses
import hashlib
import pathlib
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from harl_tf.data import manifest as manifests
from harl_tf.data import records
from mask_generation.conversion.per_photograph.example import Example
from mask_generation.left_out import LeftOut
from mask_generation.whole_file import UNFINISHED, whole_file


@dataclasses.dataclass(frozen=True)
class FinishedShard:
    """A shard that has been written and flushed to disk.

    Attributes:
        shard: The file.
        left_out: Photographs left out.
        flags: Number of records per flag; records without a flag are not counted.
        regions: The largest number of regions of each further mask.
        assumptions: Number of records per assumption about the user's own mask.
        labels: Number of records per label, as text; records without a label are not counted.
    """

    shard: manifests.Shard
    left_out: tuple[LeftOut, ...]
    flags: dict[str, int]
    regions: dict[str, int]
    assumptions: dict[str, int]
    labels: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "FinishedShard":
        """From what ``to_json`` gave.

        Raises:
            KeyError, TypeError, ValueError: For anything else.
        """
        return cls(
            manifests.Shard(**fields["shard"]),
            tuple(LeftOut(name, reason) for name, reason in fields["left_out"]),
            dict(fields["flags"]),
            dict(fields["regions"]),
            dict(fields["assumptions"]),
            dict(fields["labels"]),
        )


def write_shard(path: pathlib.Path, results: Iterable[Example | LeftOut]) -> FinishedShard:
    """Writes results as a TFRecord file, which only gets its name once it is complete.

    Args:
        path: File to write. If two processes write the same file, the later one replaces the
            earlier.
        results: The results of the shard's photographs, in order.

    Returns:
        What was written.

    Raises:
        OSError: If the file cannot be written.
        tf.errors.OpError: If the file cannot be written.
    """
    count, left_out = 0, []
    flags: collections.Counter[str] = collections.Counter()
    assumptions: collections.Counter[str] = collections.Counter()
    labels: collections.Counter[str] = collections.Counter()
    regions: dict[str, int] = {}
    with whole_file(path) as unfinished:
        with tf.io.TFRecordWriter(str(unfinished)) as writer:
            for result in results:
                if isinstance(result, LeftOut):
                    left_out.append(result)
                    continue
                writer.write(records.encode(_record(result)))
                count += 1
                if result.label != records.NO_LABEL:
                    labels[str(result.label)] += 1
                if result.flag:
                    flags[result.flag] += 1
                if result.assumption:
                    assumptions[result.assumption] += 1
                for name, mask in result.masks.items():
                    regions[name] = max(regions.get(name, 0), mask.regions)
        with unfinished.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        shard = manifests.Shard(path.name, count, unfinished.stat().st_size, digest)
    return FinishedShard(
        shard, tuple(left_out), dict(flags), regions, dict(assumptions), dict(labels)
    )


def remove_unfinished(folder: pathlib.Path) -> None:
    """Removes the temporary files of unfinished shards."""
    for path in folder.glob(records.SHARD_PATTERN):
        if UNFINISHED in path.name:
            path.unlink(missing_ok=True)


def _record(example: Example) -> records.Record:
    return records.Record(
        example.image,
        example.mask,
        example.name,
        example.label,
        example.quality,
        example.flag,
        {name: mask.png for name, mask in example.masks.items()},
    )
