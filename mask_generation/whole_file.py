"""Atomic file writes: a file appears complete or not at all.

Owns the temporary name, the flush to disk, and the error message if writing fails, not the
contents.
"""

import contextlib
import os
import pathlib
import uuid
from collections.abc import Iterator

UNFINISHED = ".unfinished-"
"""Suffix of temporary names; a part that is unique to the writer follows it."""


@contextlib.contextmanager
def whole_file(path: str | pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives a temporary file to write, which is renamed to ``path`` if the block succeeds.

    If the file cannot be written, this fails at the start of the block, before long work is done in
    it. Two processes, even on different machines, may write the same file: the later one replaces
    the earlier.

    Args:
        path: File to write; an older one is replaced.

    Returns:
        A context manager that gives an empty file in the same folder, which is flushed to disk at
        the end. If the block fails, it is removed and an older file stays as it was.

    Raises:
        OSError: If the file cannot be written; the message is one sentence.

    Example:
        >>> with whole_file("no/such/folder/table.csv") as file:
        ...     pass
        Traceback (most recent call last):
        OSError: no/such/folder/table.csv could not be written: No such file or directory.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f"{path.name}{UNFINISHED}{uuid.uuid4().hex}")
    if path.is_dir():
        raise OSError(f"{path} could not be written: it is a folder.")
    try:
        temporary.touch()
        try:
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        ours = (None, str(temporary), str(path))
        if error.errno is None or error.filename not in ours:
            raise  # an unrelated error in the block
        sentence = OSError(f"{path} could not be written: {error.strerror or error}.")
        sentence.errno = error.errno  # tells, for example, whether the disk is full
        raise sentence from error
