"""JPEGs that were cut off and given an end marker later, as recovery tools and downloaders do.

Decoders fill what is missing with gray, or with what earlier scans have, and say nothing. Owns how
that is told from a photograph that is gray at its end, or whose last scans were left out on
purpose.
"""

import hashlib
import io

import numpy as np
from PIL import Image

from mask_generation.inputs.formats.jpeg_end import Structure

# What a decoder makes of missing data: every channel is in the middle, which CMYK inverts.
_MIDDLE = (127, 128)
# Random bytes without markers, then after each restart marker the same. Were data missing, a
# decoder would take these for them; a whole image has ended before, and they are skipped. The zero
# makes a stuffed byte of an end in the middle of a marker.
_NOISE = bytes(byte % 255 for byte in hashlib.shake_128(b"noise").digest(256))
_TAIL = b"\0" + _NOISE + b"".join(bytes((0xFF, 0xD0 + n)) + _NOISE for n in range(8))
_END = b"\xff\xd9"
_LARGEST_PIXELS = 2**25


def is_cut_off(data: bytes, found: Structure, image: Image.Image) -> bool:
    """Whether a JPEG ends before its pixels do.

    Most are known to be whole by their last pixel and their markers; only others are decoded again.
    A cut through the last block, or through the last scan of a progressive JPEG, which only adds
    the lowest bit, goes unnoticed.

    Args:
        data: Its bytes.
        found: What its markers say.
        image: The same, decoded.

    Returns:
        Whether it is cut off; False if it has no end marker.
    """
    if found.end is None:
        return False
    last = image.getpixel((image.width - 1, image.height - 1))
    values = last if isinstance(last, tuple) else (last,)
    if not found.lacks_scans and any(value not in _MIDDLE for value in values):
        return False
    begun = data[: found.end - 2]
    try:
        return not np.array_equal(_pixels(begun + _END), _pixels(begun + _TAIL + _END))
    except (OSError, SyntaxError):  # the noise broke it
        return True


def _pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        if image.width * image.height > _LARGEST_PIXELS:
            image.draft(image.mode, (image.width // 8, image.height // 8))
        return np.asarray(image)
