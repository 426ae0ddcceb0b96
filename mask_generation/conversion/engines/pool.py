"""A conversion by processes of this machine.

Owns the single stream of results that the shards are written from, one after another.
"""

import dataclasses
import itertools
from collections.abc import Sequence
from functools import partial

from tqdm import tqdm

from mask_generation.conversion.disk_space import check_rest
from mask_generation.conversion.per_photograph.example import make_example
from mask_generation.conversion.plan import Conversion
from mask_generation.inputs.sources import Images
from mask_generation.left_out import LeftOut
from mask_generation.workers import NO_LIMITS, Limits, ordered_map


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

    def run(self, conversion: Conversion, images: Images, todo: Sequence[int]) -> None:
        """Writes shards.

        Args:
            conversion: What is converted.
            images: Its photographs.
            todo: Indices of the shards to write.

        Raises:
            OSError: If a shard cannot be written, or the rest will not fit on the disk.
        """
        before = conversion.images - sum(map(conversion.size, todo))
        with ordered_map(self.workers, self.limits) as run:
            results = run(
                partial(make_example, settings=conversion.settings),
                conversion.sources(images, todo),
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
                for index in todo:
                    conversion.write(index, itertools.islice(stream, conversion.size(index)))
                    check_rest(conversion)
                for _ in stream:  # lets the progress bar finish
                    pass
