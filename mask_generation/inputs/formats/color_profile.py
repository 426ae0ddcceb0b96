"""From the colors of an embedded profile to sRGB, which networks and screens take for granted.

Owns when an image is converted: if it has a profile of RGB that is not sRGB's. A profile that
cannot be read is ignored, as every viewer does.
"""

import functools
import io

from PIL import Image, ImageCms

# Colors that differ by less are those of sRGB under another name.
_PROBES = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (64, 128, 192), (128, 128, 128))
_LARGEST_DIFFERENCE = 3


def to_srgb(image: Image.Image) -> Image.Image | None:
    """Converts an RGB image to sRGB.

    Args:
        image: An image of mode RGB, perhaps with an embedded profile.

    Returns:
        The converted image; None if it is in sRGB already, or nobody knows.

    Example:
        >>> to_srgb(Image.new("RGB", (2, 2))) is None
        True
    """
    profile = image.info.get("icc_profile")
    if image.mode != "RGB" or not profile:
        return None
    transform = _transform(profile)
    return None if transform is None else ImageCms.applyTransform(image, transform)


@functools.lru_cache(maxsize=16)
def _transform(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != "RGB":
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            "RGB",
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    probes = Image.new("RGB", (len(_PROBES), 1))
    probes.putdata(_PROBES)
    shown = ImageCms.applyTransform(probes, transform)
    if shown is None:
        return None
    pairs = zip(_PROBES, shown.getdata(), strict=True)
    apart = max(abs(a - b) for before, after in pairs for a, b in zip(before, after, strict=True))
    return transform if apart > _LARGEST_DIFFERENCE else None
