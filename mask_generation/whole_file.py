"""Writing a file so that it is there whole or not at all.

Owns the temporary name, forcing the file to disk, and the sentence when writing fails. It does not
know what is written.
"""

import contextlib
import os
import pathlib
import uuid
from collections.abc import Iterator

UNFINISHED = ".unfinished-"
"""What follows a file's own name in its temporary name; after it comes what no other writer has."""


@contextlib.contextmanager
def whole_file(path: str | pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives a file to write, which takes the name of another when the block ends well.

    That it can be written is known at the beginning of the block, before long work is done in it.
    Two processes may write the same file, on one machine or on two: the later replaces the earlier.

    Args:
        path: File to write; an older one is replaced.

    Returns:
        A context that gives an empty file beside it, which is forced to disk in the end. On any
        failure that one is removed, and the older one stays.

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
            raise  # something else that went wrong in the block
        sentence = OSError(f"{path} could not be written: {error.strerror or error}.")
        sentence.errno = error.errno  # whether the disk is full, say
        raise sentence from error
