"""The interface of all sources: an ordered sequence of photographs that any process can open.

Owns the interface between finding photographs and converting them, and the guarantee that names are
unique. The modules next to this one find the photographs.
"""

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from mask_generation.inputs.reading import UnusableImageError


class Source(Protocol):
    """A photograph that can be pickled and read in any process."""

    @property
    def name(self) -> str:
        """Its unique name among the records."""

    @property
    def label(self) -> int:
        """Index of its class, or -1."""

    def read(self) -> bytes:
        """The bytes of the image file.

        Raises:
            UnusableImageError: If they cannot be read.
        """


class Images(Protocol):
    """Photographs in a fixed order."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of their labels; empty if there are no labels."""

    @property
    def passed_over(self) -> Mapping[str, int]:
        """Number of files that were not taken for photographs, by their ending."""

    @property
    def layout(self) -> tuple[str, ...]:
        """Sentences on what was taken for granted about folders and classes."""

    def __len__(self) -> int:
        """Number of photographs."""

    def part(self, start: int, stop: int) -> Iterator[Source]:
        """The photographs from ``start`` up to, not including, ``stop``."""

    def marks(self) -> Iterator[str]:
        """Short strings that are equal if the photographs are: names, labels, sizes, times."""


@dataclasses.dataclass(frozen=True)
class Unreadable:
    """A photograph that cannot be read: only its name and the reason are known."""

    name: str
    label: int
    reason: str

    def read(self) -> bytes:
        """Raises ``UnusableImageError`` with the reason."""
        raise UnusableImageError(self.reason)


@dataclasses.dataclass(frozen=True)
class InMemory:
    """A photograph that has already been read, from a source that can only be streamed.

    Attributes:
        data: The bytes of the image file.
        name: Its name.
        label: Index of its class, or -1.
        mask: The bytes of the image file of its mask, if the source has masks.
    """

    data: bytes
    name: str
    label: int
    mask: bytes | None = None

    def read(self) -> bytes:
        """The bytes of the image file."""
        return self.data


@dataclasses.dataclass(frozen=True)
class Listed:
    """Photographs that are all known in advance, each readable on its own.

    Attributes:
        sources: The photographs.
        classes: Class names in the order of their labels.
        files: The files that contain them.
        passed_over: Number of files that were not taken for photographs, by their ending.
        layout: Sentences on what was taken for granted about folders and classes.
    """

    sources: tuple[Source, ...]
    classes: tuple[str, ...]
    files: tuple[str, ...]
    passed_over: Mapping[str, int] = dataclasses.field(default_factory=dict)
    layout: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of photographs."""
        return len(self.sources)

    def part(self, start: int, stop: int) -> Iterator[Source]:
        """The photographs from ``start`` up to, not including, ``stop``."""
        return iter(self.sources[start:stop])

    def marks(self) -> Iterator[str]:
        """Names and labels; sizes and modification times of the files."""
        yield from (f"{source.name}\t{source.label}" for source in self.sources)
        yield from map(file_mark, self.files)


def file_mark(path: str | os.PathLike[str]) -> str:
    """Size and modification time of a file, to detect changes.

    Example:
        >>> file_mark("no/such/file")
        'missing'
    """
    try:
        status = os.stat(path)
    except OSError:
        return "missing"
    return f"{status.st_size} {status.st_mtime_ns}"


REPEATED = "its name occurs before"
"""Why the second photograph of a name cannot be read."""


def without_repetition(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Replaces each photograph whose name has occurred before with one that cannot be read.

    Example:
        >>> from mask_generation.inputs.folder import FileSource
        >>> both = without_repetition([FileSource("a.jpg", "a.jpg", 0)] * 2)
        >>> both[1].reason
        'its name occurs before'
    """
    seen: set[str] = set()
    kept: list[Source] = []
    for source in sources:
        again = source.name in seen
        seen.add(source.name)
        kept.append(Unreadable(source.name, source.label, REPEATED) if again else source)
    return tuple(kept)
