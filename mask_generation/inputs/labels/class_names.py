"""The user's own list of classes, which fixes their numbers.

Owns its format: a text file in UTF-8 with one name per line, the first line being class 0.
"""

import os
import pathlib
from collections.abc import Sequence

from mask_generation.inputs.file_names import as_text, printable


def read_classes(classes: str | pathlib.Path | Sequence[str]) -> tuple[str, ...]:
    """The names of classes in the order of their labels.

    Args:
        classes: A text file with one name per line, or the names.

    Returns:
        The names.

    Raises:
        OSError: If the file cannot be read, or a name is empty or occurs twice.

    Example:
        >>> read_classes(["cat", "dog"])
        ('cat', 'dog')
        >>> read_classes(["cat", "cat"])
        Traceback (most recent call last):
        OSError: Expected each class once in the given classes. Received: cat as number 0 and 1.
    """
    if isinstance(classes, str | pathlib.Path):
        where = str(classes)
        if not pathlib.Path(classes).is_file():
            raise FileNotFoundError(f"There is no file {where} with the names of classes.")
        data = pathlib.Path(classes).read_bytes().removeprefix(b"\xef\xbb\xbf")
        lines = os.fsdecode(data.replace(b"\r\n", b"\n").removesuffix(b"\n")).split("\n")
        names = tuple(as_text(line.strip()) for line in lines)
    else:
        where, names = "the given classes", tuple(classes)
    seen: dict[str, int] = {}
    for number, name in enumerate(names):
        if not name.strip() or "\0" in name:
            raise OSError(
                f"Expected one name per line in {where}. Received: {printable(name) or 'nothing'} "
                f"in line {number + 1}."
            )
        if name in seen:
            raise OSError(
                f"Expected each class once in {where}. Received: {printable(name)} as number "
                f"{seen[name]} and {number}."
            )
        seen[name] = number
    if not names:
        raise OSError(f"Expected at least one name in {where}. Received: none.")
    return names
