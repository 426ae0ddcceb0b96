"""What a preview needs: a few numbers of every photograph, and some photographs in full.

Owns the numbers kept for each photograph and the selection of those that are shown. Does not own
where they come from (``mask_generation.previews.inspect_records``,
``mask_generation.previews.inspect_images``) nor how they are drawn
(``mask_generation.previews.contact_sheet``, ``mask_generation.previews.page``).
"""

import array
import collections
import dataclasses
from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mask_generation.left_out import LeftOut


@dataclasses.dataclass(frozen=True)
class Numbers:
    """The numbers of one photograph.

    Attributes:
        index: Its position in the folder.
        quality: How far to trust its mask, in [0, 1].
        share: Share of its pixels that are foreground.
        flag: Why its mask should not be trusted, or ``""``.
    """

    index: int
    quality: float
    share: float
    flag: str


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """A photograph with its mask.

    Attributes:
        name: Its path in the folder.
        numbers: Its numbers.
        image: ``(height, width, 3)`` uint8.
        mask: ``(height, width)`` uint8, non-zero = foreground.
        saliency: ``(height, width)`` float32 in [0, 1]; None if it is not known.
    """

    name: str
    numbers: Numbers
    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    saliency: NDArray[np.float32] | None

    def reduced(self, side: int) -> "Picture":
        """A copy with a longer side of at most ``side``, so that many fit into memory.

        Example:
            >>> image, mask = np.zeros((40, 80, 3), np.uint8), np.zeros((40, 80), np.uint8)
            >>> small = Picture("a", Numbers(0, 1.0, 0.0, ""), image, mask, None).reduced(20)
            >>> small.image.shape, small.mask.shape
            ((10, 20, 3), (10, 20))
        """
        height, width = self.image.shape[:2]
        scale = side / max(height, width)
        if scale >= 1:
            return self
        size = (max(1, round(width * scale)), max(1, round(height * scale)))

        def resized(values: NDArray, how: Image.Resampling) -> NDArray:
            return np.asarray(Image.fromarray(values).resize(size, how))

        return dataclasses.replace(
            self,
            image=resized(self.image, Image.Resampling.BICUBIC),
            mask=resized(self.mask, Image.Resampling.NEAREST),
            saliency=None
            if self.saliency is None
            else resized(self.saliency, Image.Resampling.BILINEAR),
        )


class Inspected(Protocol):
    """A folder whose masks are inspected."""

    @property
    def total(self) -> int:
        """Number of photographs, including those that turn out to be unusable."""

    @property
    def method(self) -> str:
        """Name of the mask method."""

    def numbers(self) -> Iterator[Numbers | LeftOut]:
        """The numbers of every photograph, in the order of the folder."""

    def pictures(self, chosen: set[int]) -> Iterator[Picture]:
        """The photographs at these positions, in the order of the folder."""


def count_of_worst(count: int) -> int:
    """How many of the photographs shown are the lowest-quality ones: half of them, rounded up.

    Example:
        >>> count_of_worst(5)
        3
    """
    return (count + 1) // 2


class Summary:
    """The numbers of all photographs, a few bytes each.

    Attributes:
        index: Positions of the photographs, ``(photographs,)``.
        quality: Their qualities.
        share: Their shares of foreground.
        flags: Number of photographs per flag, most frequent first; ``""`` is no flag.
        left_out: The first 100 photographs without a mask.
        left_out_count: Number of photographs without a mask.

    Args:
        numbers: The numbers from ``Inspected.numbers``.

    Example:
        >>> summary = Summary([Numbers(0, 0.5, 0.25, ""), LeftOut("b.jpg", "empty file")])
        >>> summary.quality.tolist(), summary.flags, summary.left_out_count
        ([0.5], {'': 1}, 1)
    """

    def __init__(self, numbers: Iterable[Numbers | LeftOut]):
        index, quality, share = array.array("q"), array.array("d"), array.array("d")
        flags: collections.Counter[str] = collections.Counter()
        self.left_out: list[LeftOut] = []
        self.left_out_count = 0
        for one in numbers:
            if isinstance(one, LeftOut):
                self.left_out_count += 1
                if len(self.left_out) < 100:
                    self.left_out.append(one)
                continue
            index.append(one.index)
            quality.append(one.quality)
            share.append(one.share)
            flags[one.flag] += 1
        self.index = np.array(index, dtype=np.int64)
        self.quality = np.array(quality, dtype=np.float64)
        self.share = np.array(share, dtype=np.float64)
        self.flags = dict(flags.most_common())

    def __len__(self) -> int:
        return len(self.index)

    def choose(self, count: int) -> set[int]:
        """Positions of the photographs to show.

        Half of them, rounded up, are those of lowest quality; the others are spread evenly over the
        rest of the folder, so that the page shows both failures and typical masks.

        Args:
            count: How many to show; all if there are fewer.

        Returns:
            Their positions in the folder.

        Example:
            >>> qualities = [0.9, 0.8, 0.1, 0.7, 0.6, 0.2]
            >>> numbers = [Numbers(index, q, 0.5, "") for index, q in enumerate(qualities)]
            >>> sorted(Summary(numbers).choose(4))
            [0, 2, 3, 5]
        """
        order = np.argsort(self.quality, kind="stable")
        worst, rest = np.split(order, [count_of_worst(count)])
        spread = min(count // 2, len(rest))
        steps = np.arange(spread) * len(rest) // max(spread, 1)
        return {int(index) for index in self.index[[*worst, *np.sort(rest)[steps]]]}

    def histogram(self, bins: int = 20) -> list[int]:
        """Histogram of the share of foreground, in equal bins from 0 to 1.

        Args:
            bins: Number of bins; a share on an edge counts in the bin above, 1 in the last bin.

        Returns:
            A count per bin.

        Example:
            >>> Summary([Numbers(0, 1.0, share, "") for share in (0.0, 0.5, 1.0)]).histogram(2)
            [1, 2]
        """
        return np.histogram(self.share, bins=bins, range=(0.0, 1.0))[0].tolist()
