"""Where a JPEG ends, so that only whole JPEGs are stored as they are, and nothing after them.

Decoders differ in what they forgive: some stop at missing data, some refuse the image. Cameras
append videos and depth maps to their JPEGs. Owns the walk over the markers. It decodes nothing.
"""

_START, _END, _SCAN = b"\xff\xd8", 0xD9, 0xDA
# Markers without a length: the start, restarts, and the reserved TEM.
_BARE = {0xD8, 0x01, *range(0xD0, 0xD8)}


def whole_jpeg(data: bytes) -> bytes | None:
    r"""The bytes of a JPEG up to its end marker.

    Args:
        data: The bytes of an image file.

    Returns:
        ``data`` without what follows the first image's end marker; None if this marker is missing.

    Example:
        >>> whole_jpeg(b"\xff\xd8\xff\xd9 and a video") == b"\xff\xd8\xff\xd9"
        True
        >>> whole_jpeg(b"\xff\xd8") is None
        True
    """
    if not data.startswith(_START):
        return None
    place = 2
    while place + 1 < len(data):
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        if marker == _END:
            return data[: place + 2]
        if marker == 0xFF:  # fill bytes
            place += 1
        elif marker in _BARE:
            place += 2
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
            if marker == _SCAN:
                place = _after_scan(data, place)
    return None


def _after_scan(data: bytes, place: int) -> int:
    """The next marker that is neither a stuffed byte nor a restart."""
    while True:
        place = data.find(b"\xff", place)
        if place < 0 or place + 1 >= len(data):
            return len(data)
        following = data[place + 1]
        if following != 0 and following not in range(0xD0, 0xD8) and following != 0xFF:
            return place
        place += 1 if following == 0xFF else 2
