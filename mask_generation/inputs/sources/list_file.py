r"""A text file that lists photographs.

Owns its format: UTF-8, one path per line, relative to the list's folder or absolute, followed by a
TAB and the photograph's class if all lines have one. Classes that are whole numbers are the labels
themselves; others are numbered in the order of their names. Empty lines are ignored.
"""

import os
import pathlib
import posixpath
from collections.abc import Sequence

from mask_generation.inputs.file_names import as_text, printable
from mask_generation.inputs.folder import FileSource
from mask_generation.inputs.labels.labeling import UNLABELED, numbered
from mask_generation.inputs.sources.source import Listed, without_repetition


def read_list(file: str | pathlib.Path, classes: Sequence[str] | None = None) -> Listed:
    """Reads a list; missing photographs are only detected when they are read.

    Args:
        file: The text file.
        classes: All class names in the order of their labels. Default: those in the list.

    Returns:
        The photographs in the order of the lines, named by the paths in the list. If two lines have
        the same path, the second one cannot be read.

    Raises:
        OSError: If the file is not a list, only some lines have a class, or one is not among the
            given classes.

    Example:
        >>> read_list("no/such/list.txt")
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory: 'no/such/list.txt'
    """
    file = pathlib.Path(file)
    data = file.read_bytes()
    if b"\0" in data:
        raise OSError(
            f"Expected a tar or a text file that lists photographs. Received: {file}, neither."
        )
    # Paths may contain any bytes; a byte-order mark is not part of the first path.
    text = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf"))
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    entries = [line.split("\t", 1) for line in lines if line.strip()]
    if not entries:
        raise FileNotFoundError(
            f"No photograph in {file}: it lists none. Expected one path per line."
        )
    bare = [entry[0] for entry in entries if not entry[1:] or not entry[1].strip()]
    if bare and len(bare) < len(entries):
        raise OSError(
            f"Expected a class after a TAB for every photograph of {file}, or for none. "
            f"Received: {printable(as_text(bare[0]))} without, others with one."
        )
    if bare and classes is not None:
        raise OSError(
            f"Expected a class after a TAB for every photograph of {file}, because classes were "
            "given. Received: none."
        )
    found, labels = numbered((as_text(e[1].strip()) for e in entries if not bare), classes)
    sources = [
        FileSource(
            str(file.parent / entry[0]),
            as_text(posixpath.normpath(pathlib.PurePath(entry[0]).as_posix())),
            UNLABELED if bare else labels[as_text(entry[1].strip())],
        )
        for entry in entries
    ]
    return Listed(
        without_repetition(sources), found, (str(file), *(source.path for source in sources))
    )
