"""How a JPEG is built: where it ends, of which kind it is, and whether all its scans are there.

Only whole JPEGs of common kinds are stored as they are, and nothing after them: decoders differ in
what they forgive, some stop at missing data, some refuse the image, and cameras append videos and
depth maps. Owns the walk over the markers. It decodes nothing.
"""

import dataclasses

_START, _END, _SCAN = b"\xff\xd8", 0xD9, 0xDA
# Markers without a length: the start, restarts, and the reserved TEM.
_BARE = {0xD8, 0x01, *range(0xD0, 0xD8)}
# Markers of frames; the others of this range are tables.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# Baseline, extended and progressive, with Huffman codes.
_COMMON = (0xC0, 0xC1, 0xC2)
_PROGRESSIVE = (0xC2, 0xCA)


@dataclasses.dataclass
class Structure:
    """What the markers of a JPEG say.

    Attributes:
        end: Where its end marker ends; None if it has none.
        frame: The marker of its frame, 0 if it has none.
        missing: For each component, the coefficients that no scan has in full.
    """

    end: int | None = None
    frame: int = 0
    missing: dict[int, set[int]] = dataclasses.field(default_factory=dict)

    @property
    def is_common(self) -> bool:
        """Whether every decoder knows its kind; few know arithmetic codes or lossless frames."""
        return self.frame in _COMMON

    @property
    def lacks_scans(self) -> bool:
        """Whether no scan has some coefficients in full."""
        return any(self.missing.values())


def structure(data: bytes) -> Structure:
    """Walks over the markers of a JPEG.

    Args:
        data: The bytes of an image file.

    Returns:
        What they say, up to the end marker of the first image.

    Example:
        >>> structure(b"no JPEG").end is None
        True
    """
    found = Structure()
    if not data.startswith(_START):
        return found
    place = 2
    while place + 1 < len(data):
        if data[place] != 0xFF:
            return found
        marker = data[place + 1]
        if marker == _END:
            found.end = place + 2
            return found
        if marker == 0xFF:  # fill bytes
            place += 1
        elif marker in _BARE:
            place += 2
        else:
            following = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
            _note(found, marker, data[place + 4 : following])
            place = _after_scan(data, following) if marker == _SCAN else following
    return found


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
    end = structure(data).end
    return None if end is None else data[:end]


def _note(found: Structure, marker: int, segment: bytes) -> None:
    """Notes the components of a frame, and what a scan has of them."""
    if marker in _FRAMES and len(segment) > 5:
        found.frame = marker
        wanted = set(range(64)) if marker in _PROGRESSIVE else {0}
        found.missing = {each: set(wanted) for each in segment[6 : 6 + 3 * segment[5] : 3]}
    elif marker == _SCAN and segment and len(segment) >= 2 * segment[0] + 4:
        first, last, bits = segment[1 + 2 * segment[0] :][:3]
        if found.frame in _PROGRESSIVE and bits & 15:  # its lowest bits are yet to come
            return
        for component in segment[1 : 1 + 2 * segment[0] : 2]:
            found.missing.get(component, set()).difference_update(range(first, last + 1))


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
