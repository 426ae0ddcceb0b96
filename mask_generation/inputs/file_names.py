"""How the names of files are written, stored and printed.

Owns that a name can be encoded whatever bytes it has on disk, and that printing one neither breaks
a line nor controls a terminal.
"""

import os
import unicodedata
from collections.abc import Sequence

# Control and format characters, line and paragraph separators, surrogates.
_UNPRINTABLE = frozenset(("Cc", "Zl", "Zp", "Cs"))
_NAMED = 3


def as_text(name: str) -> str:
    r"""A file name that can be encoded as UTF-8, whatever bytes it contains on disk.

    Example:
        >>> as_text("caf\udce9.jpg")
        'caf\\xe9.jpg'
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def printable(name: str) -> str:
    r"""A name in one line of text: line breaks and other control characters are escaped.

    Example:
        >>> print(printable("a\nb.jpg"))
        a\nb.jpg
    """
    if name.isprintable():
        return name
    return "".join(
        each.encode("unicode_escape").decode()
        if unicodedata.category(each) in _UNPRINTABLE
        else each
        for each in name
    )


def some(names: Sequence[str]) -> str:
    """The first names of several, printable, and how many more there are.

    Example:
        >>> some(["a", "b"]), some(["a", "b", "c", "d", "e"])
        ('a and b', 'a, b, c and 2 more')
    """
    shown = [printable(name) for name in names]
    if len(shown) > _NAMED + 1:
        shown = [*shown[:_NAMED], f"{len(shown) - _NAMED:,} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
