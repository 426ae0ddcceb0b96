"""Photographs in a folder.

Owns which files are photographs and how they are named; and that what is passed over is counted.
"""

import collections
import dataclasses
import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from mask_generation.inputs.file_names import as_text, find_file, printable
from mask_generation.inputs.labels.class_folders import Folders, label_by_folder
from mask_generation.inputs.mask_lookup import masks_among
from mask_generation.inputs.not_photographs import (
    MARKED_BYTES,
    MASKS,
    OUR_RECORDS,
    OUR_SHEETS,
    ending_of_mask,
    holds_records,
    is_our_sheet,
    masks_beside,
)
from mask_generation.inputs.reading import UnreachableError, UnusableImageError, read_file
from mask_generation.inputs.system_files import is_the_users

SUFFIXES = frozenset(
    ".avif .bmp .gif .jfif .jp2 .jpe .jpeg .jpg .pbm .pgm .png .ppm .tif .tiff .webp".split()  # noqa: SIM905
)
# How images begin whose files have another ending or none. Raw formats begin as TIFF does, so TIFF
# is not among them.
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
NO_ENDING = "no ending"


@dataclasses.dataclass(frozen=True)
class FileSource:
    r"""A photograph that was found.

    Attributes:
        path: Where it is.
        name: Its path relative to the searched folder, with forward slashes; bytes that are not
            UTF-8 are written as ``\xff``.
        label: Index of its class folder, or -1.
        was_there: Whether it was seen when the photographs were listed. Default: False.
    """

    path: str
    name: str
    label: int
    was_there: bool = False

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            UnusableImageError: If it cannot be read, is empty or larger than
                ``LARGEST_FILE``.
            UnreachableError: If its folder has gone since, or nothing there can be read now.
        """
        path = self.path
        if not os.path.lexists(path):  # a list may name it in another Unicode form
            root = "/" if os.path.isabs(path) else "."
            path = str(find_file(root, [path.lstrip("/")]) or path)
        try:
            return read_file(pathlib.Path(path))
        except UnusableImageError as error:
            if self.was_there and not os.path.isdir(folder := os.path.dirname(path) or "."):
                gone = f"Folder {printable(as_text(folder))} is not there any more."
                raise UnreachableError(gone) from error
            raise


class FoundImages(NamedTuple):
    """The photographs of a folder.

    Attributes:
        sources: The photographs, in the order of their names.
        classes: Class names in the order of their labels.
        passed_over: Number of other files by their ending.
        layout: Sentences on what was taken for granted about folders and classes.
    """

    sources: list[FileSource]
    classes: tuple[str, ...]
    passed_over: dict[str, int]
    layout: tuple[str, ...] = ()


def find_images(
    folder: str | pathlib.Path,
    classes: Sequence[str] | None = None,
    masks: str | pathlib.Path | None = None,
) -> FoundImages:
    """Lists the photographs in a folder and its subfolders.

    The first-level subfolders are classes, or those below folders such as train and val, as
    ``label_by_folder`` says. Links to folders are followed, each folder once.

    Args:
        folder: A folder. Hidden files and folders are ignored, and folders of thumbnails and
            rubbish that systems make; files of another ending, or none, are photographs if they
            begin as a JPEG, PNG, GIF, WebP or AVIF does. Not photographs are records and contact
            sheets of this package, and ``a.mask.png`` or ``a.seg.png`` beside ``a.jpg``.
        classes: All class names in the order of their labels. Default: those of the folders.
        masks: Folder of the photographs' masks; an image that is the mask of another one is no
            photograph. Default: none.

    Returns:
        The photographs.

    Raises:
        FileNotFoundError: If there is no such folder or it contains no photographs.
        OSError: If a folder cannot be listed, or is not among the given classes.

    Example:
        >>> find_images("no/such/folder")
        Traceback (most recent call last):
        FileNotFoundError: There is no folder no/such/folder.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    listing = _listed(folder)
    paths, others = listing.paths, listing.others
    for name in masks_beside(paths):
        del paths[name]
        others[ending_of_mask(name)] += 1
    if masks is not None and _overlap(folder, pathlib.Path(masks)):
        for name in masks_among(paths, masks):
            del paths[name]
            others[MASKS] += 1
            listing.others_in.add(name.rpartition("/")[0])
    if not paths:
        endings = " ".join(sorted(SUFFIXES))
        raise FileNotFoundError(f"No photograph in {folder}: no file ends in {endings}.")
    names = sorted(paths)
    labeling = label_by_folder(names, Folders(listing.folders, listing.others_in), classes)
    pairs = zip(names, labeling.labels, strict=True)
    sources = [FileSource(paths[name], name, label, was_there=True) for name, label in pairs]
    return FoundImages(sources, labeling.classes, dict(sorted(others.items())), labeling.notes)


@dataclasses.dataclass(frozen=True)
class _Listing:
    """The files of a folder.

    Attributes:
        paths: Paths of images by name.
        others: Number of other files by their ending.
        folders: Names of all subfolders.
        others_in: Names of the folders with other files.
    """

    paths: dict[str, str] = dataclasses.field(default_factory=dict)
    others: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    folders: list[str] = dataclasses.field(default_factory=list)
    others_in: set[str] = dataclasses.field(default_factory=set)


def _overlap(folder: pathlib.Path, masks: pathlib.Path) -> bool:
    """Whether one of two folders is in the other."""
    images, masks = folder.resolve(), masks.resolve()
    return images.is_relative_to(masks) or masks.is_relative_to(images)


def _listed(folder: pathlib.Path) -> _Listing:
    listing = _Listing()
    visited: set[str] = set()
    for parent, folders, files in os.walk(folder, onerror=_cannot_list, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:  # by a link, perhaps to a folder above itself
            folders.clear()
            continue
        visited.add(real)
        within = as_text(pathlib.Path(parent).relative_to(folder).as_posix())
        if within != "." and holds_records(files):
            folders.clear()
            listing.others[OUR_RECORDS] += len(files)
            continue
        folders[:] = sorted(filter(is_the_users, folders))
        if within != ".":
            listing.folders.append(within)
        for file in files:
            if file.startswith("."):
                continue
            path = pathlib.Path(parent) / file
            if kind := _other_kind(path):
                listing.others[kind] += 1
                if within != ".":
                    listing.others_in.add(within)
            else:
                listing.paths[as_text(path.relative_to(folder).as_posix())] = str(path)
    return listing


def _other_kind(path: pathlib.Path) -> str:
    """What a file is if it is no photograph, in a word; empty if it is one."""
    suffix = path.suffix.lower()
    # Opening every PNG would take long; sheets under another name are noticed when they are read.
    if suffix == ".png" and path.name.startswith("preview") and _is_sheet(path):
        return OUR_SHEETS
    if suffix in SUFFIXES or _begins_as_image(path):
        return ""
    return as_text(suffix) or NO_ENDING


def _start(path: pathlib.Path, size: int) -> bytes:
    """The first bytes of a file; none if it cannot be read."""
    if not path.is_file():  # reading a pipe would never end
        return b""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""


def _is_sheet(path: pathlib.Path) -> bool:
    return is_our_sheet(_start(path, MARKED_BYTES))


def _begins_as_image(path: pathlib.Path) -> bool:
    start = _start(path, 16)
    return (
        start.startswith(_BEGINNINGS)
        or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
        or start[4:12] in (b"ftypavif", b"ftypavis")
    )


def _cannot_list(error: OSError) -> NoReturn:
    reason = error.strerror or type(error).__name__
    raise OSError(f"Folder {error.filename} cannot be listed: {reason}.") from error
