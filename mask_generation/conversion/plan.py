"""A conversion as plain values, and the part of it that makes one shard.

Owns which photographs belong to which shard, so that every engine divides them in the same way. It
neither starts processes nor decides where the folder of records ends up.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Iterable, Iterator, Sequence

from harl_tf.data import records
from mask_generation.conversion.folder.journal import Journal
from mask_generation.conversion.folder.shards import write_shard
from mask_generation.conversion.per_photograph.example import Example, Settings
from mask_generation.conversion.per_photograph.own_masks import parse_masks
from mask_generation.inputs.sources import Images, Source, open_images
from mask_generation.left_out import LeftOut

Results = Iterable[Example | LeftOut]


def listed(
    where: str | tuple[str, ...], settings: Settings, classes: Sequence[str] | None = None
) -> Images:
    """Lists the photographs that a conversion with these settings has.

    Args:
        where: The source, as accepted by ``mask_generation.inputs.sources.open_images``.
        settings: How photographs become records; masks among them are no photographs.
        classes: All class names in the order of their labels. Default: those that occur.

    Raises:
        OSError: If there are none, or the source is something else.
    """
    masks = None if settings.masks is None else parse_masks(settings.masks)
    feature, folder = (None, None) if masks is None else (masks.feature, masks.folder)
    return open_images(where, feature, classes, folder)


@dataclasses.dataclass(frozen=True)
class Conversion:
    """What is converted, how, and where to.

    Attributes:
        where: The source, as accepted by ``mask_generation.inputs.sources.open_images``.
        settings: How photographs become records.
        images: Number of photographs.
        per_shard: Photographs per shard.
        folder: Folder the shards are written to.
        fingerprint: Fingerprint of the photographs and the settings.
        classes: All class names in the order of their labels; None for those that occur.
    """

    where: str | tuple[str, ...]
    settings: Settings
    images: int
    per_shard: int
    folder: pathlib.Path
    fingerprint: str
    classes: tuple[str, ...] | None = None

    def open(self) -> Images:
        """Lists the photographs."""
        return listed(self.where, self.settings, self.classes)

    @functools.cached_property
    def shards(self) -> tuple[str, ...]:
        """File names of all shards."""
        count = -(-self.images // self.per_shard)
        return tuple(records.shard_name(index, count) for index in range(count))

    @functools.cached_property
    def journal(self) -> Journal:
        """The journal of the finished shards."""
        return Journal(self.folder, self.fingerprint, self.shards)

    def bounds(self, index: int) -> tuple[int, int]:
        """Index of a shard's first photograph, and of the first after it."""
        return index * self.per_shard, min((index + 1) * self.per_shard, self.images)

    def size(self, index: int) -> int:
        """Number of photographs of a shard."""
        start, stop = self.bounds(index)
        return stop - start

    def sources(self, images: Images, indices: Iterable[int]) -> Iterator[Source]:
        """The photographs of some shards; adjacent shards are read in one pass, for streams."""
        start = stop = 0
        for index in indices:
            first, end = self.bounds(index)
            if first != stop:
                yield from images.part(start, stop)
                start = first
            stop = end
        yield from images.part(start, stop)

    def write(self, index: int, results: Results) -> None:
        """Writes a shard and records that it is finished."""
        name = self.shards[index]
        self.journal.add(index, write_shard(self.folder / name, results))
