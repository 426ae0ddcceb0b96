"""JPEGs that were cut off and given an end marker, and others that only look so."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data as pictures

from mask_generation.inputs.formats.jpeg_end import structure
from mask_generation.inputs.mask_file import UnusableMaskError, decode_mask
from mask_generation.inputs.reading import UnusableImageError, decode_image

ASTRONAUT = pictures.astronaut()[:200, :203]  # no multiple of a block
KINDS = [
    {},
    {"progressive": True},
    {"subsampling": 0},
    {"quality": 100},
    {"optimize": True},
    {"restart_marker_rows": 1},
    {"restart_marker_blocks": 3},
]
# The rest of a progressive JPEG is its last scan, see below.
CUTS = [(kind, share) for kind in KINDS for share in (0.4, 0.6)]
CUTS += [(kind, share) for kind in KINDS if "progressive" not in kind for share in (0.8, 0.95)]


def _jpeg(pixels: np.ndarray | Image.Image, **options) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def _with_gray_end() -> np.ndarray:
    """A photograph padded with the gray that decoders fill missing data with."""
    pixels = ASTRONAUT.copy()
    pixels[100:] = 128
    return pixels


@pytest.mark.parametrize(("options", "share"), CUTS, ids=str)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_cut_jpeg_with_an_end_marker_is_refused(mode, options, share):
    data = _jpeg(Image.fromarray(ASTRONAUT).convert(mode), **options)
    cut = data[: int(share * len(data))] + b"\xff\xd9"
    with Image.open(io.BytesIO(cut)) as image:  # Pillow says nothing
        image.load()
    with pytest.raises(UnusableImageError, match="damaged: cut off, though it has an end marker"):
        decode_image(cut)
    with pytest.raises(UnusableImageError, match="cut off"):
        decode_image(cut + b"what follows")


def test_cut_at_any_byte_is_noticed():
    """Also within a marker or a stuffed byte. The last bytes are those of the last block."""
    data = _jpeg(ASTRONAUT, restart_marker_rows=1)
    start = data.index(b"\xff\xda") + 20
    for end in [*range(start, start + 100), *range(len(data) - 100, len(data) - 14)]:
        with pytest.raises(UnusableImageError):
            decode_image(data[:end] + b"\xff\xd9")


@pytest.mark.parametrize("options", KINDS, ids=str)
@pytest.mark.parametrize("picture", ["gray end", "gray", "gray L", "photograph"])
def test_whole_jpeg_is_kept_however_gray_its_end_is(picture, options):
    pixels = {
        "gray end": _with_gray_end(),
        "gray": np.full_like(ASTRONAUT, 128),
        "gray L": np.full((200, 203), 128, np.uint8),
        "photograph": ASTRONAUT,
    }[picture]
    data = _jpeg(pixels, **options)
    decoded, kept = decode_image(data)
    assert decoded.shape[:2] == (200, 203)
    assert kept == data or picture == "gray L"


@pytest.mark.parametrize("share", [0.8, 0.95])
def test_cut_through_the_last_scan_hardly_shows(share):
    """It holds the lowest bit of the brightness: 1.5 of 255 levels here, in the mean."""
    data = _jpeg(ASTRONAUT, progressive=True)
    whole, _ = decode_image(data)
    pixels, _ = decode_image(data[: int(share * len(data))] + b"\xff\xd9")
    assert np.abs(pixels.astype(int) - whole).mean() < 1.5


def test_progressive_jpeg_without_its_last_scans_is_no_cut_one():
    """Leaving out scans on purpose makes a smaller file, not a damaged one."""
    data = _jpeg(ASTRONAUT, progressive=True)
    last = data.rindex(b"\xff\xda")
    before = data.rindex(b"\xff\xc4", 0, last)  # the table of the last scan
    shorter = data[:before] + b"\xff\xd9"
    assert structure(shorter).lacks_scans
    assert not structure(data).lacks_scans
    assert decode_image(shorter)[1] == shorter


def test_cut_mask_is_refused_too():
    """Its gray would be foreground."""
    data = _jpeg(np.where(ASTRONAUT[..., 0] > 90, 255, 0).astype(np.uint8))
    decode_mask(data)
    with pytest.raises(UnusableMaskError, match="its mask is damaged: cut off"):
        decode_mask(data[: len(data) // 2] + b"\xff\xd9")
