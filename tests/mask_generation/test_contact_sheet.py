import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from conftest import make_photograph
from harl_tf.data.manifest import RecordsError
from mask_generation.contact_sheet import draw_mask, preview


@pytest.fixture
def copied(records, tmp_path):
    return shutil.copytree(records, tmp_path / "copy")


def test_sheet_is_written_into_the_folder_by_default(copied):
    path = preview(copied, tile=32)
    assert path == copied / "preview.png"
    side = 4 * 32 + 5 * 4  # 12 pictures in a square of 4 × 4, 4 pixels between them
    assert Image.open(path).size == (side, side)
    assert not list(copied.glob("*.partial"))


@pytest.fixture
def drawn(monkeypatch):
    """The images that are drawn."""
    images = []

    def spy(image, mask, size):
        images.append(image)
        return draw_mask(image, mask, size)

    monkeypatch.setattr(sys.modules["mask_generation.contact_sheet"], "draw_mask", spy)
    return images


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (7, 7), (12, 12), (100, 12)])
def test_count_pictures_are_drawn_or_all_there_are(copied, drawn, count, expected):
    preview(copied, count=count, tile=16)
    assert len(drawn) == expected


def test_pictures_are_spread_over_the_records(copied, drawn):
    """Records 0 and 6 of twelve: the first of either class."""
    preview(copied, count=2, tile=16)
    for image, seed in zip(drawn, (0, 1), strict=True):
        assert np.abs(image.astype(int) - make_photograph(seed)).mean() < 5


def test_other_output_is_replaced_whole(copied, tmp_path):
    (tmp_path / "sheet.png").write_text("old")
    preview(copied, tmp_path / "sheet.png", tile=16)
    Image.open(tmp_path / "sheet.png").verify()


@pytest.mark.parametrize("target", ["no/such/folder/sheet.png", "folder"])
def test_output_that_cannot_be_written_leaves_nothing(copied, tmp_path, target):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=f"{target} could not be written: "):
        preview(copied, tmp_path / target, tile=16)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "folder"]


@pytest.mark.parametrize("arguments", [{"count": 0}, {"tile": 0}])
def test_less_than_one_is_refused(copied, arguments):
    with pytest.raises(ValueError, match="Expected count ≥ 1 and tile ≥ 1"):
        preview(copied, **arguments)


def test_damaged_records_are_an_error_of_one_line(copied):
    path = min(copied.glob("*.tfrecord-*"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(RecordsError, match="is damaged: ") as error:
        preview(copied)
    assert "\n" not in str(error.value)
    assert not (copied / "preview.png").exists()


@pytest.mark.parametrize("shape", [(4, 8), (8, 4), (1, 500)])
def test_picture_keeps_its_proportions_on_a_white_square(shape):
    tile = draw_mask(np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.uint8), 16)
    assert tile.shape == (16, 16, 3)
    picture = (tile != 255).all(-1)
    height, width = picture.any(1).sum(), picture.any(0).sum()
    assert (height, width) == tuple(max(1, round(16 * side / max(shape))) for side in shape)


def test_foreground_keeps_its_colours_inside_an_outline():
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 1
    tile = draw_mask(np.full((20, 20, 3), 200, np.uint8), mask, 20)
    assert (tile[10, 10] == 200).all()
    assert tuple(tile[5, 10]) == (255, 64, 0)
    assert (tile[1, 1] == int(200 * 0.35 + 255 * 0.25)).all()
