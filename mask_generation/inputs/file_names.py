"""How the names of files are written, stored and printed.

Owns that a name can be encoded whatever bytes it has on disk, that printing one neither breaks a
line nor controls a terminal, and which names mean the same file.
"""

import functools
import os
import pathlib
import unicodedata
from collections.abc import Callable, Sequence

# Control and format characters, line and paragraph separators, surrogates.
_UNPRINTABLE = frozenset(("Cc", "Zl", "Zp", "Cs"))
_NAMED = 3
_LONGEST = 1000


def as_text(name: str) -> str:
    r"""A file name that can be encoded as UTF-8, whatever bytes it contains on disk.

    Example:
        >>> as_text("caf\udce9.jpg")
        'caf\\xe9.jpg'
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def printable(name: str) -> str:
    r"""A name in one line of text: line breaks and other control characters are escaped.

    What is no name may have megabytes; only its first thousand characters are shown.

    Example:
        >>> print(printable("a\nb.jpg"))
        a\nb.jpg
    """
    if len(name) > _LONGEST:
        name = name[: _LONGEST - 1] + "…"
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


def find_file(
    folder: str | pathlib.Path, candidates: Sequence[str], but: str | None = None
) -> pathlib.Path | None:
    """The first of several files that is in a folder, as it is named or else nearly so.

    A name is nearly the same in another Unicode form, as macOS writes it, with an ending in another
    case, and as ``as_text`` writes it.

    Args:
        folder: Where to look.
        candidates: Paths relative to it, with forward slashes.
        but: A file that does not count. Default: none.

    Returns:
        The file, or None.

    Example:
        >>> find_file("no/such/folder", ["a.png"]) is None
        True
    """
    for find in (_exactly, _nearly):
        for candidate in candidates:
            path = find(str(folder), candidate)
            if path is not None and not _is_same(path, but):
                return pathlib.Path(path)
    return None


def _exactly(folder: str, name: str) -> str | None:
    path = os.path.join(folder, name)
    return path if os.path.isfile(path) else None  # False, too, for a name that is too long


def _nearly(folder: str, name: str) -> str | None:
    *folders, file = name.split("/")
    for each in folders:
        inner = _entry(folder, each, os.path.isdir)
        if inner is None:
            return None
        folder = inner
    return _entry(folder, file, os.path.isfile)


def _is_same(path: str, other: str | None) -> bool:
    if other is None or os.path.basename(path) != os.path.basename(other):
        return False
    return os.path.exists(other) and os.path.samefile(path, other)


def _entry(folder: str, name: str, exists: Callable[[str], bool]) -> str | None:
    """The path of a file or folder in a folder, whatever the form of its name."""
    if exists(path := os.path.join(folder, name)):
        return path
    try:
        listed = _listed(folder, os.stat(folder).st_mtime_ns)
    except (OSError, ValueError):
        return None
    found = listed.get(_key(name))
    return os.path.join(folder, found) if found and exists(os.path.join(folder, found)) else None


@functools.lru_cache(maxsize=8)
def _listed(folder: str, changed: int) -> dict[str, str]:
    """The names in a folder by their key; of several alike the first counts."""
    return {_key(name): name for name in sorted(os.listdir(folder), reverse=True)}


def _key(name: str) -> str:
    """Equal for names that mean the same file."""
    stem, ending = os.path.splitext(unicodedata.normalize("NFC", as_text(name)))
    return stem + ending.lower()
