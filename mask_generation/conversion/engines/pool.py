"""A conversion by processes of this machine.

Owns the single stream of results that the shards are written from, one after another.
"""

import dataclasses
import itertools
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

from tqdm import tqdm

from mask_generation.conversion.disk_space import too_little_for
from mask_generation.conversion.per_photograph.example import Example, Settings, make_example
from mask_generation.conversion.plan import Conversion
from mask_generation.inputs.sources import Images, Source
from mask_generation.left_out import LeftOut
from mask_generation.workers import NO_LIMITS, Limits, ordered_map

_NONE: Mapping[str, str] = MappingProxyType({})


def _make(source: Source | LeftOut, settings: Settings) -> Example | LeftOut:
    return source if isinstance(source, LeftOut) else make_example(source, settings)


@dataclasses.dataclass(frozen=True)
class Pool:
    """How the processes work.

    Attributes:
        workers: Number of processes; 1 means this process.
        limits: What a photograph may take, where other processes work. Default: no limits.
        progress: Whether to show a progress bar. Default: False.
    """

    workers: int = 1
    limits: Limits = NO_LIMITS
    progress: bool = False

    def run(
        self,
        conversion: Conversion,
        images: Images,
        todo: Sequence[int],
        left_out: Mapping[str, str] = _NONE,
    ) -> None:
        """Writes shards.

        Args:
            conversion: What is converted.
            images: Its photographs.
            todo: Indices of the shards to write.
            left_out: Photographs, by name, that are left out unseen, and why. Default: none.

        Raises:
            OSError: If a shard cannot be written.
        """
        before = conversion.images - sum(map(conversion.size, todo))
        with ordered_map(self.workers, self.limits) as run:
            results = run(
                partial(_make, settings=conversion.settings),
                (
                    LeftOut(each.name, left_out[each.name]) if each.name in left_out else each
                    for each in conversion.sources(images, todo)
                ),
                lambda source, reason: LeftOut(source.name, reason),
            )
            with tqdm(
                results,
                total=conversion.images,
                initial=before,
                unit="photo",
                disable=not self.progress,
            ) as done:
                stream = iter(done)
                warned, written = not self.progress, 0
                left = sum(map(conversion.size, todo))
                for index in todo:
                    conversion.write(index, itertools.islice(stream, conversion.size(index)))
                    written += (conversion.folder / conversion.shards[index]).stat().st_size
                    left -= conversion.size(index)
                    done = conversion.images - before - left
                    sentence = (
                        None
                        if warned
                        else too_little_for(left * written // done, conversion.folder)
                    )
                    if sentence:
                        tqdm.write(sentence, file=sys.stderr)
                        warned = True
                for _ in stream:  # lets the progress bar finish
                    pass
