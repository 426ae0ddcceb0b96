"""The orientation in an image's metadata.

Owns that nothing else in the metadata can fail an image: Pillow's own way of turning writes all of
them anew.
"""

from PIL import Image

_ORIENTATION = 274
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1, upright, if there is none or it cannot be read.

    Example:
        >>> orientation_of(Image.new("L", (4, 3)))
        1
    """
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # broken metadata raise almost anything
        return 1
    return found if found in range(1, 9) else 1


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """An image turned by its EXIF orientation.

    Example:
        >>> turned(Image.new("L", (4, 3)), 6).size
        (3, 4)
    """
    return image.transpose(_TRANSPOSE[orientation]) if orientation in _TRANSPOSE else image
