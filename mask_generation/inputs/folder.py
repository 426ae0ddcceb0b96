"""Photographs in a folder.

Owns which files are photographs and how they are named; and that what is passed over is counted.
"""

import collections
import dataclasses
import os
import pathlib
from typing import NamedTuple, NoReturn

from mask_generation.inputs.class_folders import label_by_folder
from mask_generation.inputs.reading import read_file

SUFFIXES = frozenset(
    ".avif .bmp .gif .jfif .jp2 .jpe .jpeg .jpg .pbm .pgm .png .ppm .tif .tiff .webp".split()  # noqa: SIM905
)
# Folders that systems and archive programs put beside photographs, with thumbnails and rubbish.
_NOT_THE_USERS = frozenset(("@eadir", "$recycle.bin", "__macosx", "system volume information"))
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
    """

    path: str
    name: str
    label: int

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            UnusableImageError: If it cannot be read, is empty or larger than
                ``LARGEST_FILE``.
        """
        return read_file(pathlib.Path(self.path))


class FoundImages(NamedTuple):
    """The photographs of a folder.

    Attributes:
        sources: The photographs, in the order of their names.
        classes: Class names in the order of their labels.
        passed_over: Number of other files by their ending.
    """

    sources: list[FileSource]
    classes: tuple[str, ...]
    passed_over: dict[str, int]


def find_images(folder: str | pathlib.Path) -> FoundImages:
    """Lists the photographs in a folder and its subfolders.

    The first-level subfolders are classes, as ``label_by_folder`` says. Links to folders are
    followed, each folder once.

    Args:
        folder: A folder. Hidden files and folders are ignored, and folders of thumbnails and
            rubbish that systems make; files of another ending, or none, are photographs if they
            begin as a JPEG, PNG, GIF, WebP or AVIF does.

    Returns:
        The photographs.

    Raises:
        FileNotFoundError: If there is no such folder or it contains no photographs.
        OSError: If a folder cannot be listed.

    Example:
        >>> find_images("no/such/folder")
        Traceback (most recent call last):
        FileNotFoundError: There is no folder no/such/folder.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    paths = {}
    others: collections.Counter[str] = collections.Counter()
    visited: set[str] = set()
    for parent, folders, files in os.walk(folder, onerror=_cannot_list, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:  # by a link, perhaps to a folder above itself
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(filter(_is_the_users, folders))
        for file in files:
            path = pathlib.Path(parent) / file
            if file.startswith("."):
                continue
            if path.suffix.lower() in SUFFIXES or _begins_as_image(path):
                paths[as_text(path.relative_to(folder).as_posix())] = str(path)
            else:
                others[as_text(path.suffix.lower()) or NO_ENDING] += 1
    if not paths:
        endings = " ".join(sorted(SUFFIXES))
        raise FileNotFoundError(f"No photograph in {folder}: no file ends in {endings}.")
    names = sorted(paths)
    classes, labels = label_by_folder(names)
    pairs = zip(names, labels, strict=True)
    sources = [FileSource(paths[name], name, label) for name, label in pairs]
    return FoundImages(sources, classes, dict(sorted(others.items())))


def as_text(name: str) -> str:
    """A file name that can be encoded as UTF-8, whatever bytes it contains on disk."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _is_the_users(folder: str) -> bool:
    return not folder.startswith(".") and folder.lower() not in _NOT_THE_USERS


def _begins_as_image(path: pathlib.Path) -> bool:
    if not path.is_file():  # reading a pipe would never end
        return False
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError:
        return False
    return (
        start.startswith(_BEGINNINGS)
        or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
        or start[4:12] in (b"ftypavif", b"ftypavis")
    )


def _cannot_list(error: OSError) -> NoReturn:
    reason = error.strerror or type(error).__name__
    raise OSError(f"Folder {error.filename} cannot be listed: {reason}.") from error
