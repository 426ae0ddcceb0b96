"""Writing a file so that it is there whole or not at all.

Owns the temporary name and the sentence when writing fails. It does not know what is written.
"""

import contextlib
import os
import pathlib
from collections.abc import Iterator


@contextlib.contextmanager
def whole_file(path: str | pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives a file to write, which takes the name of another when the block ends well.

    That it can be written is known at the beginning of the block, before long work is done in it.

    Args:
        path: File to write; an older one is replaced.

    Returns:
        A context that gives an empty file beside it. On any failure that one is removed, and the
        older one stays.

    Raises:
        OSError: If the file cannot be written; the message is one sentence.

    Example:
        >>> with whole_file("no/such/folder/table.csv") as file:
        ...     pass
        Traceback (most recent call last):
        OSError: no/such/folder/table.csv could not be written: No such file or directory.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(path.name + ".partial")
    if path.is_dir():
        raise OSError(f"{path} could not be written: it is a folder.")
    try:
        temporary.touch()
        try:
            yield temporary
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        ours = (None, str(temporary), str(path))
        if error.errno is None or error.filename not in ours:
            raise  # something else that went wrong in the block
        raise OSError(f"{path} could not be written: {error.strerror or error}.") from error
