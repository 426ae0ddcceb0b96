"""Atomic writes: files and folders that appear complete or not at all.

Owns the temporary name of a folder, the flush to disk, the rename and the sentence if the disk is
full, not the contents. Files are written by ``mask_generation.whole_file``, which processes use
that must not import TensorFlow.
"""

import contextlib
import errno
import os
import pathlib
import shutil
from collections.abc import Collection, Iterator

import tensorflow as tf

from mask_generation.lock import Lock
from mask_generation.whole_file import whole_file


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes a UTF-8 text file, replacing an older one.

    Args:
        path: File to write.
        text: Its content.

    Raises:
        OSError: If it cannot be written; an older file stays as it was.

    Example:
        >>> import tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "note.txt"
        >>> write_text(path, "first")
        >>> write_text(path, "second")
        >>> path.read_text(), [other.name for other in path.parent.iterdir()]
        ('second', ['note.txt'])
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file, replacing an older one; of two processes at once, the later one wins.

    Args:
        path: File to write.
        content: Its content.

    Raises:
        OSError: If it cannot be written; an older file stays as it was.

    Example:
        >>> import tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "data.bin"
        >>> write_bytes(path, b"first")
        >>> path.read_bytes()
        b'first'
    """
    with told(path), whole_file(pathlib.Path(path)) as unfinished:
        unfinished.write_bytes(content)


@contextlib.contextmanager
def whole_folder(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Gives an empty folder to fill, which is renamed to ``path`` if the block succeeds.

    Args:
        path: Folder to make; an older one is replaced.

    Returns:
        A context manager that gives the folder ``PATH.partial``. If the block fails, it is removed
        and an older folder stays as it was. Within the block, no other process writes the folder.

    Raises:
        LockedError: If another process is writing it.
        OSError: If it cannot be written.

    Example:
        >>> import tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "results"
        >>> with whole_folder(path) as folder:
        ...     _ = (folder / "a.txt").write_text("a")
        ...     path.exists()
        False
        >>> [file.name for file in path.iterdir()]
        ['a.txt']
    """
    path = pathlib.Path(os.path.abspath(path))
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            Lock(path.with_name(f".{path.name}.lock"), path),
            whole_folder_of_mine(path) as partial,
        ):
            yield partial


@contextlib.contextmanager
def whole_folder_of_mine(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """As ``whole_folder``, for who already holds a lock that nobody writes this folder without.

    Args:
        path: Folder to make; an older one is replaced.

    Example:
        >>> import tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "state"
        >>> with whole_folder_of_mine(path) as folder:
        ...     folder.name
        'state.partial'
        >>> path.exists()
        True
    """
    partial = _partial(path)
    with told(path):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            for file in partial.rglob("*"):
                if file.is_file():
                    sync(file)
            _put(partial, path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def told(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns the errors of a disk that is full or cannot be written to into a sentence.

    HDF5 and TensorFlow have their own errors for it, the latter that of an exhausted memory.

    Args:
        path: What the block writes.

    Raises:
        OSError: If the block failed for want of space or of permission.

    Example:
        >>> with told("run/epoch_000001"):
        ...     raise tf.errors.ResourceExhaustedError(None, None, "...; No space left on device")
        Traceback (most recent call last):
        OSError: run/epoch_000001 could not be written: No space left on device. ...
    """
    try:
        yield
    except (OSError, RuntimeError, tf.errors.OpError) as error:
        if not (number := _reason(error)):
            raise
        sentence = OSError(
            f"{path} could not be written: {os.strerror(number)}. What was there is unchanged; "
            f"{_REASONS[number]}"
        )
        sentence.errno = number  # set, and not passed: it would be part of the message
        raise sentence from error


_SPACE, _PERMISSION = "free some space, or choose another disk.", "choose another folder."
_REASONS = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: _SPACE,
    errno.EROFS: _PERMISSION,
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
}


def _reason(error: Exception) -> int | None:
    """The number of the operating system's error that is behind another one, if it is known."""
    if getattr(error, "errno", None) in _REASONS:
        return int(error.errno)  # type: ignore[attr-defined]
    # At the end of a part of the message: "...: No space left on device".
    found = (number for number in _REASONS if os.strerror(number) in str(error))
    return next(found, None)


def foreign(folder: pathlib.Path, names: Collection[str]) -> pathlib.Path | None:
    """The first entry of a folder, or of what is left of an attempt to write it, of another name.

    What replaces a folder asks first, so that nobody's files go with it.

    Args:
        folder: A folder that ``whole_folder`` is going to write, existing or not.
        names: Names of the entries that may be replaced.

    Returns:
        The entry; the path itself if it is no folder; None if there is no such.

    Example:
        >>> import tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> (folder / "mine.txt").write_text("a")
        1
        >>> foreign(folder, ["saved_model.pb"]).name, foreign(folder, ["mine.txt"])
        ('mine.txt', None)
    """
    for place in (folder, _partial(folder)):
        if place.exists() and not place.is_dir():
            return place
        for path in sorted(place.iterdir()) if place.exists() else ():
            if path.name not in names:
                return path
    return None


def _put(partial: pathlib.Path, path: pathlib.Path) -> None:
    """Renames a folder to one that may exist, which is there until the new one is."""
    old = path.with_name(f".{path.name}.replaced")
    if old.exists() and not path.exists():  # an attempt ended between the two renames below
        os.replace(old, path)
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        os.replace(path, old)
    try:
        os.replace(partial, path)
    except BaseException:  # an interrupt, too
        if old.exists():
            os.replace(old, path)
        raise
    sync(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def sync(path: pathlib.Path) -> None:
    """Flushes a file, or the entries of a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _partial(path: pathlib.Path) -> pathlib.Path:
    path = pathlib.Path(os.path.abspath(path))
    return path.with_name(path.name + ".partial")
