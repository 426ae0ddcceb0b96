"""Profiles made from sRGB's by exchanging what red and green look like."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from mask_generation.inputs.formats.color_profile import to_srgb
from mask_generation.inputs.reading import decode_image

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _exchanged() -> bytes:
    """Tags are 12 bytes each from byte 132: name, place and length."""
    profile = bytearray(SRGB)
    count = int.from_bytes(profile[128:132], "big")
    names = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    profile[names[b"rXYZ"] : names[b"rXYZ"] + 4] = b"gXYZ"
    profile[names[b"gXYZ"] : names[b"gXYZ"] + 4] = b"rXYZ"
    return bytes(profile)


def _image(profile: bytes | None, color=(200, 30, 60)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 20), color).save(buffer, "JPEG", quality=95, icc_profile=profile)
    return buffer.getvalue()


def test_colors_of_another_profile_become_srgb():
    """Red and green are exchanged, so the profile's red is shown green."""
    pixels, stored = decode_image(_image(_exchanged()))
    assert np.abs(pixels[10, 10].astype(int) - (30, 200, 60)).max() <= 4
    assert np.abs(np.asarray(Image.open(io.BytesIO(stored)))[10, 10] - pixels[10, 10]).max() == 0
    assert Image.open(io.BytesIO(stored)).info.get("icc_profile") is None


@pytest.mark.parametrize("profile", [None, SRGB, b"no profile", SRGB[:200]])
def test_jpeg_in_srgb_or_of_an_unreadable_profile_is_kept(profile):
    data = _image(profile)
    pixels, stored = decode_image(data)
    assert stored == data
    assert np.abs(pixels[10, 10].astype(int) - (200, 30, 60)).max() <= 4


def test_other_modes_are_left_alone():
    assert to_srgb(Image.new("L", (2, 2))) is None
