r"""A text file that lists photographs.

Owns its format: UTF-8, one path per line, relative to the list's folder or absolute, followed by a
TAB and the photograph's class if all lines have one. Classes that are whole numbers are the labels
themselves; others are numbered in the order of their names. Empty lines are ignored.
"""

import os
import pathlib
import posixpath
import re
from collections.abc import Sequence

from mask_generation.inputs.folder import FileSource, as_text
from mask_generation.inputs.sources.source import Listed, without_repetition

# More classes than any data set has: larger numbers are names.
_LARGEST_LABEL = 100_000


def read_list(file: str | pathlib.Path) -> Listed:
    """Reads a list; missing photographs are only detected when they are read.

    Args:
        file: The text file.

    Returns:
        The photographs in the order of the lines, named by the paths in the list. If two lines have
        the same path, the second one cannot be read.

    Raises:
        OSError: If the file is not a list, or only some lines have a class.

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
    bare = [entry[0] for entry in entries if len(entry) == 1]
    if bare and len(bare) < len(entries):
        raise OSError(
            f"Expected a class after a TAB for every photograph of {file}, or for none. "
            f"Received: {as_text(bare[0])} without, others with one."
        )
    classes, labels = _numbered([] if bare else [as_text(entry[1].strip()) for entry in entries])
    sources = [
        FileSource(
            str(file.parent / entry[0]),
            as_text(posixpath.normpath(pathlib.PurePath(entry[0]).as_posix())),
            labels[as_text(entry[1].strip())] if classes else -1,
        )
        for entry in entries
    ]
    return Listed(
        without_repetition(sources), classes, (str(file), *(source.path for source in sources))
    )


def _numbered(names: Sequence[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Class names in the order of their labels, and the label of each; whole numbers keep theirs.

    Example:
        >>> _numbered(["dog", "cat"])
        (('cat', 'dog'), {'cat': 0, 'dog': 1})
        >>> _numbered(["2", "0"])
        (('0', '1', '2'), {'2': 2, '0': 0})
    """
    if names and all(re.fullmatch(r"[0-9]{1,6}", name) for name in names):
        labels = {name: int(name) for name in dict.fromkeys(names)}
        if max(labels.values()) < _LARGEST_LABEL:
            return tuple(map(str, range(max(labels.values()) + 1))), labels
    classes = tuple(sorted(set(names)))
    return classes, {name: label for label, name in enumerate(classes)}
