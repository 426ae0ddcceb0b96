import numpy as np
import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.foreground import foreground_mask
from mask_generation.left_out import LeftOut
from mask_generation.previews.inspect_photographs import InspectedPhotographs
from mask_generation.previews.pictures import Figures

METHOD = "robust_background"


@pytest.fixture
def folder(tmp_path):
    """A good photograph, a broken one, a flat one."""
    Image.fromarray(make_photograph(0)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"")
    Image.new("RGB", (40, 30), (90, 90, 90)).save(tmp_path / "c.png")
    return tmp_path


def test_every_photograph_has_its_numbers_or_a_reason(folder):
    inspected = InspectedPhotographs(folder, METHOD)
    assert inspected.total == 3
    first, second, third = inspected.figures()
    (picture,) = inspected.pictures({0})
    result = foreground_mask(picture.image, method=METHOD)
    assert first == Figures(0, result.quality, result.foreground_share, "")
    assert second == LeftOut("b.png", "empty file")
    assert third == Figures(2, 0.0, 0.0, "flat image")


def test_pictures_are_those_chosen_with_the_numbers_of_the_first_pass(folder):
    inspected = InspectedPhotographs(folder, METHOD)
    figures = list(inspected.figures())
    first, third = inspected.pictures({2, 0})
    assert (first.name, third.name) == ("a.png", "c.png")
    assert [first.figures, third.figures] == [figures[0], figures[2]]
    assert first.mask.shape == first.saliency.shape == (60, 80)
    assert np.abs(first.image.astype(int) - make_photograph(0)).mean() < 5
    assert first.mask.mean() == pytest.approx(first.figures.share)


def test_photograph_that_breaks_between_the_passes_is_passed_over(folder):
    inspected = InspectedPhotographs(folder, METHOD)
    list(inspected.figures())
    (folder / "a.png").write_bytes(b"")
    assert [picture.name for picture in inspected.pictures({0, 2})] == ["c.png"]


def test_two_workers_see_what_one_sees(folder):
    one, two = (list(InspectedPhotographs(folder, METHOD, workers).figures()) for workers in (1, 2))
    assert one == two
