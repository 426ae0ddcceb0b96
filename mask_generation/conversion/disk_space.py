"""Whether the records will fit on the disk, before it is full.

Owns two estimates: from the photographs' files before anything is written, and from the shards that
are finished.
"""

import pathlib
import shutil
from collections.abc import Sequence

from mask_generation.conversion.per_photograph.example import Settings

_AS_IT_IS = (".jpg", ".jpeg", ".jpe", ".jfif")
"""Files that are stored as they are, or re-encoded at about their size."""

_SHARES = 0.5, 0.1
"""Of the bytes of such files and of others, stored as JPEG: some photographs are left out."""

_WORTH_SAYING = 1e9
"""Bytes; less than a gigabyte is written without a word."""


class DiskSpaceError(OSError):
    """What is going to be written will not fit; the message says how much is missing."""


def check_before(files: Sequence[str], settings: Settings, folder: pathlib.Path) -> str | None:
    """Refuses a conversion whose records cannot fit.

    Args:
        files: The files that hold the photographs.
        settings: How they are converted. If photographs are shrunk, or left out for want of the
            user's own masks, nothing is known beforehand.
        folder: Folder that the records are written to; what it holds already is part of them.

    Returns:
        A sentence on how much is going to be written at least, if that is known.

    Raises:
        DiskSpaceError: If less is free.

    Example:
        >>> check_before([], Settings("grid", None, "keep"), pathlib.Path("records.partial"))
    """
    if settings.longest_side is not None or settings.masks is not None:
        return None
    need = int(sum(map(_least, files))) - sum(map(_size, folder.glob("*")))
    free, where = _free(folder)
    if need > free:
        raise DiskSpaceError(
            f"The records need {_gigabytes(need)} more at least; {_gigabytes(free)} are free in "
            f"{where}. Free some space, choose another disk, or shrink photographs with "
            "--longest-side (in Python: longest_side=)."
        )
    if need < _WORTH_SAYING:
        return None
    return f"The records will take at least {_gigabytes(need)}; {_gigabytes(free)} are free."


def too_little_for(need: int, folder: pathlib.Path) -> str | None:
    """Whether what is left will not fit, going by the shards that were written.

    Photographs differ, so this is said and not refused.

    Args:
        need: Bytes that the rest will take if it is like the others.
        folder: Folder that the records are written to.

    Returns:
        A sentence if less is free than they will take.
    """
    free, where = _free(folder)
    if need <= free:
        return None
    return (
        f"The other records will take about {_gigabytes(need)} by the first ones, and "
        f"{_gigabytes(free)} are free in {where}. If the disk becomes full, the finished shards "
        "are kept, and the same command continues from there."
    )


def _free(folder: pathlib.Path) -> tuple[int, pathlib.Path]:
    there = next(each for each in folder.absolute().parents if each.is_dir())
    return shutil.disk_usage(there).free, there


def _gigabytes(size: int) -> str:
    """In words.

    Example:
        >>> _gigabytes(1_234_000_000), _gigabytes(1_234_000)
        ('1.2 GB', '1.2 MB')
    """
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def _least(file: str) -> float:
    return _size(pathlib.Path(file)) * _SHARES[not file.lower().endswith(_AS_IT_IS)]


def _size(path: pathlib.Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
