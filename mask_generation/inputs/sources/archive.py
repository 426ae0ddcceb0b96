"""Opening a tar so that nothing in it is passed over in silence.

Python's reader takes a damaged header for the end of the archive, and the end of the first of two
joined archives for the end of both. Owns that the first is an error and the second is read on.
"""

import lzma
import os
import tarfile
import zlib
from typing import Any

from mask_generation.reason import reason_of


class _StrictInfo(tarfile.TarInfo):
    """A member whose damaged header is an error, and so is one that takes memory without bounds."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> "_StrictInfo":
        """Reads the next header."""
        offset = tarfile.offset
        try:
            return super().fromtarfile(tarfile)
        except _INVALID as error:
            if offset == 0:  # not a tar, or a compressed one
                raise _ReadError(str(error)) from error
            raise _ReadError(f"{_AT_BYTE} {offset} is damaged") from error

    def _proc_member(self, tarfile: Any) -> Any:
        """Reads what belongs to the header: a long name or further fields, as a whole."""
        if self.type in _EXTENSIONS and self.size > _LONGEST_HEADER:
            raise _ReadError(f"{_AT_BYTE} {self.offset} has {self.size:,} bytes")
        return super()._proc_member(tarfile)  # type: ignore[misc]


_AT_BYTE = "the header at byte"
_LONGEST_HEADER = 2**20
_EXTENSIONS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
_ReadError = tarfile.ReadError
_INVALID: Any = (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError)  # type: ignore[attr-defined]


DAMAGES = (
    tarfile.TarError,
    EOFError,
    ValueError,
    OverflowError,
    MemoryError,  # a header that claims to have gigabytes
    zlib.error,
    lzma.LZMAError,
)
"""What reading a damaged tar raises, besides ``OSError``."""


def is_tar(file: str | os.PathLike[str]) -> bool:
    """Whether a file is a tar, perhaps a damaged one.

    Args:
        file: Its path.

    Raises:
        OSError: If it cannot be read.

    Example:
        >>> is_tar(__file__)
        False
    """
    try:
        with tarfile.open(file, tarinfo=_StrictInfo):
            return True
    except tarfile.ReadError as error:
        return _AT_BYTE in str(error)  # a tar, which is refused when it is opened
    except DAMAGES:  # it begins as a compressed file
        return True


def open_tar(file: str, stream: bool = False) -> tuple[tarfile.TarFile, bool]:
    """Opens a tar, whatever its compression.

    Args:
        file: Its path.
        stream: Whether to read it from the beginning, as a compressed tar must be. Default: only
            if it is compressed.

    Returns:
        The tar, and whether it is compressed or read as a stream. Iterating over it raises
        ``tarfile.ReadError`` at a damaged header.

    Raises:
        OSError: If it cannot be opened.

    Example:
        >>> open_tar("no/such.tar")
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory: 'no/such.tar'
    """
    options: dict[str, Any] = {"tarinfo": _StrictInfo, "ignore_zeros": True}
    try:
        if not stream:
            try:
                return tarfile.open(file, "r:", **options), False
            except tarfile.ReadError:
                pass
        return tarfile.open(file, "r|*", **options), True
    except (*DAMAGES, TypeError) as error:  # the last of a header of gzip that ends
        raise damaged(file, error) from error


def damaged(file: str, error: Exception) -> OSError:
    """The sentence for a tar in which one of ``DAMAGES`` was met.

    Example:
        >>> damaged("a.tar", EOFError("no end"))
        OSError('a.tar is a damaged tar: no end.')
    """
    return OSError(f"{file} is a damaged tar: {reason_of(error)}.")
