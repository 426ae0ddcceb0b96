"""Images that this package drew, or that are masks, do not become photographs."""

import pytest
from PIL import Image

from mask_generation.inputs.folder import find_images
from mask_generation.inputs.not_photographs import is_our_sheet
from mask_generation.inputs.reading import UnusableImageError, read_image
from mask_generation.previews.preview import preview


@pytest.fixture
def sheet(few, tmp_path):
    preview(few, tmp_path / "previews", method="fast", count=1, progress=False)
    return tmp_path / "previews" / "preview.png"


@pytest.mark.parametrize("name", ["preview.png", "preview (1).png", "cat/preview.png"])
def test_contact_sheet_among_photographs_is_passed_over(few, sheet, name):
    (few / "cat").mkdir()
    (few / name).write_bytes(sheet.read_bytes())
    found = find_images(few)
    assert [source.name for source in found.sources] == ["0.png", "1.png", "2.png"]
    assert found.passed_over == {"contact sheets of mask_generation": 1}


def test_contact_sheet_under_another_name_is_refused_when_it_is_read(sheet):
    renamed = sheet.rename(sheet.with_name("sheet.png"))
    with Image.open(renamed) as image:  # still a picture like any other
        image.load()
    with pytest.raises(UnusableImageError, match="a contact sheet of mask_generation"):
        read_image(renamed)


def test_photograph_named_preview_is_one(few):
    (few / "0.png").rename(few / "preview.png")
    assert not is_our_sheet((few / "preview.png").read_bytes())
    assert len(find_images(few).sources) == 3


@pytest.mark.parametrize("folder", ["records", "cat/records", "records.partial"])
def test_records_among_photographs_are_passed_over(few, folder):
    """With a sheet of an older version, which has no mark, and a journal."""
    (few / folder / "journal").mkdir(parents=True)
    (few / folder / "journal" / "00000.json").write_text("{}")
    for name in ("photos-train.tfrecord-00000-of-00001", "manifest.json"):
        (few / folder / name).write_text("")
    Image.new("RGB", (60, 60)).save(few / folder / "preview.png")
    found = find_images(few)
    assert [source.name for source in found.sources] == ["0.png", "1.png", "2.png"]
    assert found.classes == ()
    assert found.passed_over == {"files of records": 3}


def test_mask_beside_its_photograph_is_passed_over(few):
    for name in ("0.mask.png", "1.seg.png", "x.mask.png"):
        Image.new("L", (60, 60)).save(few / name)
    found = find_images(few)
    assert [each.name for each in found.sources] == ["0.png", "1.png", "2.png", "x.mask.png"]
    assert found.passed_over == {".mask.png": 1, ".seg.png": 1}
