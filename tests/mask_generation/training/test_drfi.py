import re

import numpy as np
import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.inputs.folder import FileSource, find_images
from mask_generation.left_out import LeftOut
from mask_generation.networks.opening import ModelError
from mask_generation.training.drfi import LabeledRegions, RegionSettings, labeled_regions, train


def _disc(index: int) -> tuple[np.ndarray, np.ndarray]:
    """A generated photograph and its true mask: what is brighter than the ground's 70."""
    rgb = make_photograph(index)
    return rgb, (rgb.max(axis=-1) > 90).astype(np.uint8)


@pytest.fixture(scope="module")
def labeled(tmp_path_factory):
    """Ten photographs in a class folder, and their masks as a tree of the same names."""
    folder = tmp_path_factory.mktemp("labelled")
    for kind in ("images", "masks"):
        (folder / kind / "discs").mkdir(parents=True)
    for index in range(10):
        rgb, mask = _disc(index)
        Image.fromarray(rgb).save(folder / "images" / "discs" / f"{index}.png")
        Image.fromarray(mask * 7).save(folder / "masks" / "discs" / f"{index}.png")
    return folder


def _settings(labeled) -> RegionSettings:
    return RegionSettings(
        pseudo=None, masks=str(labeled / "masks"), work_size=80, scales=(100.0, 400.0)
    )


def _first(labeled) -> FileSource:
    return find_images(labeled / "images").sources[0]


def test_clear_regions_have_the_label_of_their_pixels(labeled):
    labeled = labeled_regions(_first(labeled), _settings(labeled))
    assert isinstance(labeled, LabeledRegions)
    assert set(labeled.labels.tolist()) == {0.0, 1.0}
    assert len(labeled.features) == len(labeled.labels)
    # The disc is the brighter of the two: the first feature is the contrast of red.
    assert labeled.features.dtype == np.float32


def test_regions_of_both_sides_teach_nothing(tmp_path):
    """A mask that cuts the one region of an image in half: no side has the four fifths."""
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(tmp_path / "a.png")
    half = (np.arange(40) < 20).astype(np.uint8)[None].repeat(40, axis=0)
    Image.fromarray(half).save(tmp_path / "masks" / "a.png")
    source = FileSource(str(tmp_path / "a.png"), "a.png", -1)
    labeled = labeled_regions(source, RegionSettings(None, str(tmp_path / "masks")))
    assert isinstance(labeled, LabeledRegions)
    assert len(labeled.labels) == 0


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "no mask .*0.png"),
        (
            lambda path: path.write_text("text"),
            "cannot be used: its mask is not an image",
        ),
        (lambda path: Image.new("L", (9, 8)).save(path), "has 9×8 pixels, the upright .* 80×60"),
    ],
)
def test_image_without_a_usable_mask_is_left_out_with_the_reason(labeled, tmp_path, make, reason):
    (tmp_path / "discs").mkdir()
    make(tmp_path / "discs" / "0.png")
    result = labeled_regions(_first(labeled), RegionSettings(None, str(tmp_path)))
    assert isinstance(result, LeftOut)
    assert result.name == "discs/0.png"
    assert re.search(reason, result.reason)


def test_mask_drawn_on_the_stored_pixels_of_a_photograph_on_its_side_is_used(tmp_path):
    """Stored 80×60 with the orientation 6, upright 60×80: regions as with a turned mask."""
    rgb, mask = _disc(0)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(rgb).save(tmp_path / "a.png", exif=exif)
    source, found = FileSource(str(tmp_path / "a.png"), "a.png", -1), []
    for name, drawn in (("stored", mask), ("upright", np.rot90(mask, -1))):
        (tmp_path / name).mkdir()
        Image.fromarray(np.ascontiguousarray(drawn)).save(tmp_path / name / "a.png")
        found.append(labeled_regions(source, RegionSettings(None, str(tmp_path / name))))
    np.testing.assert_array_equal(found[0].labels, found[1].labels)
    assert set(found[0].labels.tolist()) == {0.0, 1.0}


def test_flagged_pseudo_label_is_left_out(tmp_path):
    Image.new("RGB", (40, 40), (90, 90, 90)).save(tmp_path / "a.png")
    source = FileSource(str(tmp_path / "a.png"), "a.png", -1)
    assert labeled_regions(source, RegionSettings("robust_background")) == LeftOut(
        "a.png", "no usable mask: flat image"
    )


def test_same_folder_gives_the_same_trees_whatever_the_workers(labeled, tmp_path):
    for workers in (1, 2):
        trained, _ = train(
            labeled / "images", _settings(labeled), trees=4, workers=workers, progress=False
        )
        trained.save(tmp_path / f"{workers}.json")
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()


def test_seed_changes_the_trees_and_limit_the_photographs(labeled):
    def trained(**options):
        return train(labeled / "images", _settings(labeled), trees=2, progress=False, **options)[0]

    assert trained(seed=1).trees != trained(seed=2).trees
    assert "8 photographs of" in trained(limit=8).trained_on
    assert "10 photographs of" in trained(limit=99).trained_on


def test_photographs_left_out_are_told(labeled, tmp_path):
    (tmp_path / "discs").mkdir()
    for index in range(4):
        mask = labeled / "masks" / "discs" / f"{index}.png"
        (tmp_path / "discs" / mask.name).write_bytes(mask.read_bytes())
    settings = RegionSettings(None, str(tmp_path))
    _, left_out = train(labeled / "images", settings, trees=1, progress=False)
    assert [name for name, _ in left_out] == [f"discs/{i}.png" for i in range(4, 10)]
    # Four of ten, evenly spread: 0, 3, 6 and 9.
    _, left_out = train(labeled / "images", settings, trees=1, limit=4, progress=False)
    assert [name for name, _ in left_out] == ["discs/6.png", "discs/9.png"]


def test_nothing_to_learn_from_is_an_error(labeled, tmp_path):
    with pytest.raises(ModelError, match=r"None of the 10 photographs .* discs/0.png: no mask"):
        train(labeled / "images", RegionSettings(None, str(tmp_path)), progress=False)
    with pytest.raises(ModelError, match="There is no folder of masks no/such"):
        train(labeled / "images", RegionSettings(None, "no/such"), progress=False)


def test_one_label_only_is_an_error(labeled, tmp_path):
    (tmp_path / "discs").mkdir()
    for index in range(10):
        Image.new("L", (80, 60)).save(tmp_path / "discs" / f"{index}.png")
    with pytest.raises(ModelError, match="Expected regions of foreground and of background"):
        train(labeled / "images", RegionSettings(None, str(tmp_path)), progress=False)
