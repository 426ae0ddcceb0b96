"""Photographs in tar files, compressed or not.

Owns which members are photographs, and how they are read: in an uncompressed tar any worker can
seek to its member; a compressed tar is read from the beginning as a stream.
"""

import collections
import dataclasses
import itertools
import pathlib
import posixpath
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from mask_generation.inputs.file_names import as_text, printable
from mask_generation.inputs.folder import NO_ENDING, SUFFIXES
from mask_generation.inputs.labels.class_folders import (
    Folders,
    label_by_folder,
    without_shared_folders,
)
from mask_generation.inputs.not_photographs import ending_of_mask, masks_beside
from mask_generation.inputs.reading import (
    UnreachableError,
    UnusableImageError,
    check_file_size,
    check_reachable,
)
from mask_generation.inputs.sources.archive import DAMAGES, damaged, open_tar
from mask_generation.inputs.sources.source import (
    InMemory,
    Source,
    Unreadable,
    file_mark,
    without_repetition,
)
from mask_generation.inputs.sources.webdataset import Samples
from mask_generation.inputs.system_files import is_the_users


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
            UnreachableError: If the tar has gone since.
        """
        check_file_size(self.size)
        try:
            with open(self.tar, "rb") as file:
                assert self.offset is not None
                file.seek(self.offset)
                data = file.read(self.size)
        except OSError as error:
            check_reachable(self.tar, error)
            if not pathlib.Path(self.tar).exists():  # it was when it was listed
                raise UnreachableError(f"{self.tar} is not there any more.") from error
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
        """The photographs from ``start`` up to ``stop``; those in compressed tars are read here."""
        for tar, group in itertools.groupby(self.sources[start:stop], _CompressedTar()):
            sources = list(group)
            yield from sources if tar is None else _stream(tar, sources)

    def marks(self) -> Iterator[str]:
        """Names and labels; sizes and modification times of the tars."""
        yield from (f"{source.name}\t{source.label}" for source in self.sources)
        yield from map(file_mark, self.files)


def read_tars(files: Sequence[str | pathlib.Path], classes: Sequence[str] | None = None) -> Tars:
    """Lists the photographs of tars.

    Members without an image extension and hidden members are ignored. A link to another member of
    an uncompressed tar is that photograph under its own name; other links cannot be read. Labels
    are those of WebDataset's members ``KEY.cls`` or ``KEY.json``, if there are any. Otherwise
    folders are classes, as ``label_by_folder`` says, but for those that contain everything.

    Args:
        files: The tars, plain or compressed.
        classes: All class names in the order of their labels. Default: those that occur.

    Returns:
        The photographs. If two members have the same name, the second one cannot be read.

    Raises:
        OSError: If a tar is damaged or none contains a photograph, or a class is not among the
            given ones.

    Example:
        >>> read_tars(["no/such.tar"])
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory: 'no/such.tar'
    """
    beside = _Beside()
    members = [member for file in files for member in _photographs(str(file), beside)]
    if not members:
        endings = " ".join(sorted(SUFFIXES))
        named = ", ".join(map(str, files))
        raise FileNotFoundError(f"No photograph in {named}: no member ends in {endings}.")
    names = [member.name for member in members]
    labeling = beside.samples.labeling(names, classes)
    if labeling is None:
        folders = Folders(beside.folders, beside.others_in)
        labeling = label_by_folder(*without_shared_folders(names, folders), classes)
    labeled = [
        dataclasses.replace(member, label=label)
        for member, label in zip(members, labeling.labels, strict=True)
    ]
    return Tars(
        without_repetition(labeled),
        labeling.classes,
        tuple(map(str, files)),
        dict(sorted((beside.others - beside.samples.used).items())),
        labeling.notes,
    )


@dataclasses.dataclass(frozen=True)
class _Beside:
    """What there is in tars beside photographs.

    Attributes:
        others: Number of other members by their ending.
        folders: Names of the folders that are members.
        others_in: Names of the folders with other members.
        samples: The labels of WebDataset's samples.
    """

    others: Counter[str] = dataclasses.field(default_factory=Counter)
    folders: set[str] = dataclasses.field(default_factory=set)
    others_in: set[str] = dataclasses.field(default_factory=set)
    samples: Samples = dataclasses.field(default_factory=Samples)

    def add(self, name: str) -> None:
        """Counts a member that is no photograph."""
        path = pathlib.PurePosixPath(name)
        self.others[path.suffix.lower() or NO_ENDING] += 1
        if path.parent.name:
            self.others_in.add(str(path.parent))


def _photographs(file: str, beside: _Beside) -> Iterator[TarMember | Unreadable]:
    """The photographs of a tar, without masks beside them."""
    images = list(_images(file, beside))
    masks = masks_beside({image.name for image in images})
    for image in images:
        if image.name in masks:
            beside.others[ending_of_mask(image.name)] += 1
        else:
            yield image


def _images(file: str, beside: _Beside) -> Iterator[TarMember | Unreadable]:
    """The images of a tar; other members are collected."""
    tar, compressed = open_tar(file)
    # Links name other members; those of a compressed tar cannot be sought.
    places: dict[str, tuple[int, int]] = {}
    try:
        with tar:
            for number, member in enumerate(_each(tar)):
                if member.isfile() and not compressed:
                    places[_normal(member.name)] = member.offset_data, member.size
                path = pathlib.PurePosixPath(member.name)
                if not all(is_the_users(part) or part == ".." for part in path.parts):
                    continue
                name = as_text(str(path).lstrip("/"))
                if member.isdir():
                    beside.folders.add(name)
                elif path.suffix.lower() in SUFFIXES:
                    place = places.get(_target(member)) if _is_link(member) else None
                    yield _image(file, member, name, number, place, compressed)
                else:
                    beside.samples.read(name, tar, member)
                    beside.add(name)
    except DAMAGES as error:
        raise damaged(file, error) from error


def _image(
    file: str,
    member: tarfile.TarInfo,
    name: str,
    number: int,
    target: tuple[int, int] | None,
    compressed: bool,
) -> TarMember | Unreadable:
    """An image of a tar, or why it cannot be read; ``target`` is where a link leads."""
    if member.issparse():
        return Unreadable(name, -1, "sparse members are not supported")
    if _is_link(member):
        if target is None:
            link = printable(as_text(member.linkname))
            return Unreadable(name, -1, f"a link to {link}, which was not found")
        return TarMember(file, *target, number, name, -1)
    if not member.isfile():
        return Unreadable(name, -1, "not a file")
    return TarMember(
        file, None if compressed else member.offset_data, member.size, number, name, -1
    )


def _is_link(member: tarfile.TarInfo) -> bool:
    return member.islnk() or member.issym()


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


class _CompressedTar:
    """The tar that must be read as a stream for a photograph; of what cannot be read, the last."""

    def __init__(self) -> None:
        self._last: str | None = None

    def __call__(self, source: Source) -> str | None:
        if isinstance(source, TarMember):
            self._last = source.tar if source.offset is None else None
        return self._last


def _stream(file: str, sources: list[Source]) -> Iterator[Source]:
    """Reads members of a compressed tar, in their order."""
    try:
        yield from _read_on(file, sources)
    except DAMAGES as error:  # it was whole when it was listed
        raise damaged(file, error) from error


def _read_on(file: str, sources: list[Source]) -> Iterator[Source]:
    """What cannot be read is passed on in its place."""
    left = collections.deque(sources)
    tar, _ = open_tar(file, stream=True)
    with tar:
        for number, member in enumerate(_each(tar)):
            while left and not isinstance(left[0], TarMember):
                yield left.popleft()
            if not left:
                return
            source = left[0]
            assert isinstance(source, TarMember)
            if source.number != number:
                continue
            left.popleft()
            try:
                check_file_size(member.size)
            except UnusableImageError as error:
                yield Unreadable(source.name, source.label, str(error))
                continue
            content = tar.extractfile(member)
            assert content is not None  # it is a file
            yield InMemory(content.read(), source.name, source.label)
    for source in left:  # the tar has become shorter since
        cut_off = Unreadable(source.name, source.label, "the tar was cut off")
        yield cut_off if isinstance(source, TarMember) else source
