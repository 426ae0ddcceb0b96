"""Photographs in tar files, compressed or not.

Owns which members are photographs, and how they are read: in an uncompressed tar any worker can
seek to its member; a compressed tar is read from the beginning as a stream.
"""

import dataclasses
import itertools
import pathlib
import posixpath
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from mask_generation.inputs.class_folders import label_by_folder, without_shared_folders
from mask_generation.inputs.folder import NO_ENDING, SUFFIXES, as_text
from mask_generation.inputs.reading import UnusableImageError, check_file_size
from mask_generation.inputs.sources.archive import DAMAGES, damaged, open_tar
from mask_generation.inputs.sources.source import (
    InMemory,
    Source,
    Unreadable,
    file_mark,
    without_repetition,
)


@dataclasses.dataclass(frozen=True)
class TarMember:
    """A photograph in a tar.

    Attributes:
        tar: Path of the tar.
        offset: Offset of its bytes in the tar; None for a compressed tar.
        size: Number of bytes.
        number: Index of the member in the tar, counted from 0.
        name: Its path in the tar.
        label: Index of its first folder, or -1.
    """

    tar: str
    offset: int | None
    size: int
    number: int
    name: str
    label: int

    def read(self) -> bytes:
        """The member's bytes.

        Raises:
            UnusableImageError: If there are too many, or they cannot be read.
        """
        check_file_size(self.size)
        try:
            with open(self.tar, "rb") as file:
                assert self.offset is not None
                file.seek(self.offset)
                data = file.read(self.size)
        except OSError as error:
            raise UnusableImageError(f"cannot be opened: {error.strerror or error}") from error
        if len(data) < self.size:
            raise UnusableImageError("the tar was cut off")
        return data


@dataclasses.dataclass(frozen=True)
class Tars:
    """The photographs of one or more tars, in the order of the members.

    Attributes:
        sources: The photographs.
        classes: Class names in the order of their labels.
        files: The tars.
        passed_over: Number of members that were not taken for photographs, by their ending.
    """

    sources: tuple[Source, ...]
    classes: tuple[str, ...]
    files: tuple[str, ...]
    passed_over: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        """Number of photographs."""
        return len(self.sources)

    def part(self, start: int, stop: int) -> Iterator[Source]:
        """The photographs from ``start`` up to ``stop``; those in compressed tars are read here."""
        for tar, group in itertools.groupby(self.sources[start:stop], _compressed_tar):
            sources = list(group)
            yield from sources if tar is None else _stream(tar, sources)

    def marks(self) -> Iterator[str]:
        """Names and labels; sizes and modification times of the tars."""
        yield from (f"{source.name}\t{source.label}" for source in self.sources)
        yield from map(file_mark, self.files)


def read_tars(files: Sequence[str | pathlib.Path]) -> Tars:
    """Lists the photographs of tars.

    Members without an image extension and hidden members are ignored. A link to another member of
    an uncompressed tar is that photograph under its own name; other links cannot be read. Folders
    are classes, as ``label_by_folder`` says, but for those that contain everything.

    Args:
        files: The tars, plain or compressed.

    Returns:
        The photographs. If two members have the same name, the second one cannot be read.

    Raises:
        OSError: If a tar is damaged or none contains a photograph.

    Example:
        >>> read_tars(["no/such.tar"])
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory: 'no/such.tar'
    """
    others: Counter[str] = Counter()
    members = [member for file in files for member in _members(str(file), others)]
    if not members:
        endings = " ".join(sorted(SUFFIXES))
        named = ", ".join(map(str, files))
        raise FileNotFoundError(f"No photograph in {named}: no member ends in {endings}.")
    classes, labels = label_by_folder(without_shared_folders([each.name for each in members]))
    labeled = [
        dataclasses.replace(member, label=label)
        for member, label in zip(members, labels, strict=True)
    ]
    passed_over = dict(sorted(others.items()))
    return Tars(without_repetition(labeled), classes, tuple(map(str, files)), passed_over)


def _members(file: str, others: Counter[str]) -> Iterator[TarMember | Unreadable]:
    """The photographs of a tar; the endings of other members are counted."""
    tar, compressed = open_tar(file)
    # Links name other members; those of a compressed tar cannot be sought.
    places: dict[str, tuple[int, int]] = {}
    try:
        with tar:
            for number, member in enumerate(_each(tar)):
                if member.isfile() and not compressed:
                    places[_normal(member.name)] = member.offset_data, member.size
                path = pathlib.PurePosixPath(member.name)
                hidden = any(part.startswith(".") and part != ".." for part in path.parts)
                if member.isdir() or hidden:
                    continue
                if path.suffix.lower() not in SUFFIXES:
                    others[as_text(path.suffix.lower()) or NO_ENDING] += 1
                    continue
                name = as_text(str(path).lstrip("/"))
                if member.issparse():
                    yield Unreadable(name, -1, "sparse members are not supported")
                elif member.islnk() or member.issym():
                    place = places.get(_target(member))
                    yield (
                        Unreadable(name, -1, f"a link to {member.linkname}, which was not found")
                        if place is None
                        else TarMember(file, *place, number, name, -1)
                    )
                elif not member.isfile():
                    yield Unreadable(name, -1, "not a file")
                else:
                    offset = None if compressed else member.offset_data
                    yield TarMember(file, offset, member.size, number, name, -1)
    except DAMAGES as error:
        raise damaged(file, error) from error


def _normal(name: str) -> str:
    return posixpath.normpath(name.lstrip("/"))


def _target(member: tarfile.TarInfo) -> str:
    """The member that a link means: hard links count from the top, symbolic ones from beside it."""
    if member.islnk():
        return _normal(member.linkname)
    return _normal(posixpath.join(posixpath.dirname(member.name), member.linkname))


def _each(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members of a tar; clears the tar's own list, which would otherwise keep growing."""
    for member in tar:
        yield member
        tar.members.clear()  # type: ignore[attr-defined]


def _compressed_tar(source: Source) -> str | None:
    """The tar that must be read as a stream for this photograph."""
    return source.tar if isinstance(source, TarMember) and source.offset is None else None


def _stream(file: str, sources: list[Source]) -> Iterator[Source]:
    """Reads members of a compressed tar, in their order."""
    wanted = {source.number: source for source in sources if isinstance(source, TarMember)}
    tar, _ = open_tar(file, stream=True)
    with tar:
        for number, member in enumerate(_each(tar)):
            source = wanted.get(number)
            if source is None:
                continue
            try:
                check_file_size(member.size)
            except UnusableImageError as error:
                yield Unreadable(source.name, source.label, str(error))
                continue
            content = tar.extractfile(member)
            assert content is not None  # it is a file
            yield InMemory(content.read(), source.name, source.label)
            if number == max(wanted):
                return
