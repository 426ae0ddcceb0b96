import io

import numpy as np
import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.conversion.per_photograph import example
from mask_generation.conversion.per_photograph.example import (
    Example,
    Settings,
    bits_of,
    encode_png,
    make_example,
)
from mask_generation.inputs.sources import InMemory
from mask_generation.left_out import LeftOut
from mask_generation.methods.regions import RegionMap

PLAIN = Settings("robust_background", None, "leave_out")


def _source(pixels: np.ndarray | None = None) -> InMemory:
    buffer = io.BytesIO()
    Image.fromarray(make_photograph(0) if pixels is None else pixels).save(buffer, "PNG")
    return InMemory(buffer.getvalue(), "a.png", 4)


def _decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_example_has_name_label_and_quality_and_no_flag():
    result = make_example(_source(), PLAIN)
    assert isinstance(result, Example)
    assert (result.name, result.label, result.flag, result.masks) == ("a.png", 4, "", {})
    assert 0 < result.quality <= 1


def test_kept_photograph_carries_the_reason():
    gray = _source(np.full((60, 80, 3), 128, np.uint8))
    kept = make_example(gray, Settings("robust_background", None, "keep"))
    assert isinstance(kept, Example)
    assert (kept.flag, kept.quality) == ("flat image", 0.0)
    assert make_example(gray, PLAIN) == LeftOut(
        "a.png", "no usable mask: flat image (80×60 px, 0.0 % foreground)"
    )


def test_further_masks_are_of_the_images_size_and_their_own_bits():
    settings = Settings("robust_background", 40, "leave_out", ("grid", "robust_background"))
    result = make_example(_source(), settings)
    assert isinstance(result, Example)
    grid, again = result.masks["grid"], result.masks["robust_background"]
    assert (grid.regions, again.regions) == (25, 2)
    assert _decoded(grid.png).shape == (30, 40)
    assert _decoded(grid.png).max() == 24
    assert again.png == result.mask
    assert [png[24] for png in (grid.png, again.png)] == [16, 8]  # the bit depth in a PNG's header
    assert [bits_of(name) for name in result.masks] == [16, 8]


def test_more_than_256_regions_do_not_wrap(monkeypatch):
    ids = np.arange(4800, dtype=np.uint16).reshape(60, 80)
    monkeypatch.setitem(example.REGION_METHODS, "many", lambda rgb: RegionMap(ids, 4800))
    result = make_example(_source(), Settings("robust_background", None, "leave_out", ("many",)))
    assert isinstance(result, Example)
    assert result.masks["many"].regions == 4800
    np.testing.assert_array_equal(_decoded(result.masks["many"].png), ids)


@pytest.mark.parametrize("also", [(), ("fails",)])
def test_method_that_fails_costs_one_photograph(monkeypatch, also):
    def fails(rgb):
        raise RuntimeError("no\nluck")

    monkeypatch.setitem(example.METHODS, "fails", fails)
    monkeypatch.setitem(example.REGION_METHODS, "fails", fails)
    method = PLAIN.method if also else "fails"
    got = make_example(_source(), Settings(method, None, "leave_out", also))
    assert got == LeftOut("a.png", "the method fails failed: no luck")


def test_own_masks_are_used_in_place_of_computed_ones_or_beside_them(tmp_path):
    own = np.zeros((60, 80), np.uint8)
    own[10:30, 20:50] = 1
    (tmp_path / "a.png").write_bytes(encode_png(own * 255))
    instead = make_example(_source(), Settings("files", None, "leave_out", (), str(tmp_path)))
    beside = make_example(
        _source(), Settings(PLAIN.method, None, "leave_out", ("files",), str(tmp_path))
    )
    assert isinstance(instead, Example)
    assert isinstance(beside, Example)
    assert instead.mask == beside.masks["files"].png == encode_png(own)
    assert beside.mask != instead.mask


def test_method_with_a_model_is_made_once(monkeypatch):
    made = []

    def named(name, model):
        made.append((name, model))
        return example.METHODS["robust_background"]

    monkeypatch.setattr(example, "named", named)
    settings = Settings("learned", None, "leave_out", model="weights")
    results = [make_example(_source(), settings) for _ in range(2)]
    assert made == [("learned", "weights")]
    assert all(isinstance(result, Example) for result in results)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_mask_comes_back_as_it_was_stored(dtype):
    """Five regions, and lines of one pixel between them."""
    ids = np.zeros((40, 40), dtype)
    ids[::5], ids[:, ::7] = 1, 2
    ids[10:20, 10:20], ids[25:33, 5:30] = 3, 4
    np.testing.assert_array_equal(_decoded(encode_png(ids)), ids)


def test_what_was_assumed_about_a_further_mask_is_told(tmp_path):
    """255 in a mask of two other values is void."""
    values = np.zeros((60, 80), np.uint8)
    values[20:40, 20:60], values[0] = 1, 255
    Image.fromarray(values).save(tmp_path / "a.png")
    settings = Settings("fast", None, "keep", also=("files",), masks=str(tmp_path))
    assert "255" in make_example(_source(), settings).assumption
