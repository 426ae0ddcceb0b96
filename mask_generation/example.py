"""From one photograph to the bytes of one record: what a worker process does.

Owns the per-image function, the same for every engine that runs it. It imports neither TensorFlow
nor ``harl_tf``, so a worker starts in a moment.
"""

import dataclasses
import io

import numpy as np
from PIL import Image

from mask_generation.foreground import foreground_mask
from mask_generation.photographs import Source, UnusablePhotographError, read_photograph

DEGENERATE = ("skip", "keep")
"""What to do with a photograph whose mask has no two regions worth the name."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """How photographs are turned into records.

    Attributes:
        method: Name of the mask method.
        longest_side: Larger photographs are shrunk to this, in pixels; None keeps them.
        degenerate: ``"skip"`` or ``"keep"`` photographs without a usable mask.
    """

    method: str
    longest_side: int | None
    degenerate: str


@dataclasses.dataclass(frozen=True)
class Example:
    """A photograph as it will be stored: JPEG bytes, PNG bytes of the mask, name, label."""

    image: bytes
    mask: bytes
    name: str
    label: int


@dataclasses.dataclass(frozen=True)
class Unusable:
    """A photograph that will not be stored, and why."""

    name: str
    reason: str


def make_example(source: Source, settings: Settings) -> Example | Unusable:
    """Reads a photograph and computes its mask.

    Args:
        source: The photograph.
        settings: How.

    Returns:
        The example, or why there is none. It never raises for what is in the file.
    """
    try:
        rgb, jpeg = read_photograph(source.path, settings.longest_side)
    except UnusablePhotographError as error:
        return Unusable(source.name, str(error))
    result = foreground_mask(rgb, method=settings.method)
    if result.fallback is not None and settings.degenerate == "skip":
        share = f"{100 * result.foreground_share:.1f} % foreground"
        size = f"{rgb.shape[1]}×{rgb.shape[0]} px"
        return Unusable(source.name, f"no usable mask: {result.fallback} ({size}, {share})")
    return Example(jpeg, encode_png(result.mask), source.name, source.label)


def encode_png(mask: np.ndarray) -> bytes:
    r"""Encodes a mask as an 8-bit PNG of its own values, 0 and 1.

    Example:
        >>> encode_png(np.zeros((2, 3), np.uint8))[:4]
        b'\x89PNG'
    """
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG", optimize=False, compress_level=6)
    return buffer.getvalue()
