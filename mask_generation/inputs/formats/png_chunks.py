"""Dropping from a PNG what could refuse it without changing a pixel.

Pillow refuses a PNG for long texts, a large color profile or a wrong checksum in any chunk. Owns
which chunks are kept: those that pixels, transparency, colors and orientation need.
"""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Profile and orientation are worth keeping if they are whole; without tRNS pixels would change.
_KEPT = (b"tRNS", b"eXIf", b"iCCP", b"gAMA", b"sRGB", b"cHRM")
_LARGEST_PROFILE = 2**20
"""Bytes that Pillow decompresses of a chunk."""


def without_metadata(data: bytes) -> bytes:
    """A PNG without the ancillary chunks that are not needed or damaged; other data as they are.

    Args:
        data: The bytes of an image file of any kind.

    Returns:
        The same image; ``data`` itself if nothing had to go.

    Example:
        >>> without_metadata(b"no PNG")
        b'no PNG'
    """
    if not data.startswith(SIGNATURE):
        return data
    kept, start = [SIGNATURE], len(SIGNATURE)
    while start + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, start)
        kind, end = data[start + 4 : start + 8], start + 12 + length
        chunk = data[start:end]
        if not _is_ancillary(kind) or (kind in _KEPT and _is_whole(chunk, kind)):
            kept.append(chunk)
        start = end
    kept.append(data[start:])
    cleaned = b"".join(kept)
    return data if len(cleaned) == len(data) else cleaned


def _is_ancillary(kind: bytes) -> bool:
    """Chunks whose first letter is small may be left out."""
    return bool(kind[:1] and kind[0] & 32)


def _is_whole(chunk: bytes, kind: bytes) -> bool:
    stated = struct.unpack(">I", chunk[-4:])[0]
    if zlib.crc32(chunk[4:-4]) != stated:
        return False
    if kind != b"iCCP":
        return True
    packed = chunk[8:-4].partition(b"\0")[2][1:]  # after a name and the method of compression
    try:
        return len(zlib.decompressobj().decompress(packed, _LARGEST_PROFILE + 1)) <= (
            _LARGEST_PROFILE
        )
    except zlib.error:
        return False
