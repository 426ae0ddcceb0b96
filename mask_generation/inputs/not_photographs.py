"""Image files that are no photographs: what this package drew itself, and masks beside photographs.

Owns how they are recognized: folders of records by the names of their shards, contact sheets by a
text that is written into them, masks by an ending such as ``.mask.png`` beside a photograph.
"""

import posixpath
import struct
import zlib
from collections.abc import Collection, Iterable

from mask_generation.inputs.formats.png_chunks import SIGNATURE

SHARD = "photos-train.tfrecord-"
"""How the names of the shards of records begin."""
OUR_SHEETS = "contact sheets of mask_generation"
OUR_RECORDS = "files of records"
MASKS = "masks of others"
"""What is passed over, in words, as others by their ending."""

_TEXT = b"Software\0mask_generation"
_CHUNK = struct.pack(">I", len(_TEXT)) + b"tEXt" + _TEXT
_MARK = _CHUNK + struct.pack(">I", zlib.crc32(_CHUNK[4:]))
# The first chunk, IHDR, has 25 bytes.
_MARK_AT = len(SIGNATURE) + 25
MARKED_BYTES = _MARK_AT + len(_MARK)
"""How much of a file ``is_our_sheet`` needs."""
_MASK_ENDINGS = frozenset(("mask", "masks", "seg", "segmentation"))


def marked(png: bytes) -> bytes:
    """A PNG that says it was drawn by this package.

    Example:
        >>> from PIL import Image
        >>> import io
        >>> file = io.BytesIO()
        >>> Image.new("L", (1, 1)).save(file, "PNG")
        >>> is_our_sheet(file.getvalue()), is_our_sheet(marked(file.getvalue()))
        (False, True)
    """
    return png[:_MARK_AT] + _MARK + png[_MARK_AT:]


def is_our_sheet(start: bytes) -> bool:
    """Whether a file that begins like this is a contact sheet of this package."""
    return start.startswith(SIGNATURE) and start[_MARK_AT:].startswith(_MARK)


def holds_records(files: Iterable[str]) -> bool:
    """Whether a folder with these files is one of records, finished or not.

    Example:
        >>> holds_records(["manifest.json", "photos-train.tfrecord-00000-of-00001"])
        True
    """
    return any(file.startswith(SHARD) for file in files)


def masks_beside(names: Collection[str]) -> set[str]:
    """Images that are masks of others: ``a.mask.png`` or ``a.seg.png`` beside ``a.jpg``.

    Args:
        names: Paths of images, with forward slashes.

    Returns:
        Those that are masks; an image named so is a photograph if there is none beside it.

    Example:
        >>> masks_beside(["x/a.jpg", "x/a.mask.png", "b.mask.png"])
        {'x/a.mask.png'}
    """
    of_stem = {}
    for name in names:
        stem, word = posixpath.splitext(posixpath.splitext(name)[0])
        if word[1:].lower() in _MASK_ENDINGS:
            of_stem[name] = stem
    if not of_stem:
        return set()
    photographs = {posixpath.splitext(name)[0] for name in names}
    return {name for name, stem in of_stem.items() if stem in photographs}


def ending_of_mask(name: str) -> str:
    """The ending under which a mask beside a photograph is counted.

    Example:
        >>> ending_of_mask("x/a.v2.Mask.png")
        '.mask.png'
    """
    return "." + ".".join(name.lower().rsplit(".", 2)[1:])
