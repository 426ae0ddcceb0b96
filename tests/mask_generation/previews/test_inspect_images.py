import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.foreground import foreground_mask
from mask_generation.left_out import LeftOut
from mask_generation.previews.inspect_images import InspectedImages
from mask_generation.previews.pictures import Numbers

METHOD = "robust_background"


@pytest.fixture
def folder(tmp_path):
    """A good photograph, a broken one, a flat one."""
    Image.fromarray(make_photograph(0)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"")
    Image.new("RGB", (40, 30), (90, 90, 90)).save(tmp_path / "c.png")
    return tmp_path


def test_every_photograph_has_its_numbers_or_a_reason(folder):
    inspected = InspectedImages(folder, METHOD)
    assert inspected.total == 3
    first, second, third = inspected.numbers()
    (picture,) = inspected.pictures({0})
    result = foreground_mask(picture.image, method=METHOD)
    assert first == Numbers(0, result.quality, result.foreground_share, "")
    assert second == LeftOut("b.png", "empty file")
    assert third == Numbers(2, 0.0, 0.0, "flat image")


def test_pictures_are_those_chosen_with_the_numbers_of_the_first_pass(folder):
    inspected = InspectedImages(folder, METHOD)
    numbers = list(inspected.numbers())
    first, third = inspected.pictures({2, 0})
    assert (first.name, third.name) == ("a.png", "c.png")
    assert [first.numbers, third.numbers] == [numbers[0], numbers[2]]
    assert first.mask.shape == first.saliency.shape == (60, 80)
    assert np.abs(first.image.astype(int) - make_photograph(0)).mean() < 5
    assert first.mask.mean() == pytest.approx(first.numbers.share)


def test_photograph_that_breaks_between_the_passes_is_passed_over(folder):
    inspected = InspectedImages(folder, METHOD)
    list(inspected.numbers())
    (folder / "a.png").write_bytes(b"")
    assert [picture.name for picture in inspected.pictures({0, 2})] == ["c.png"]


def test_two_workers_see_what_one_sees(folder):
    one, two = (list(InspectedImages(folder, METHOD, workers).numbers()) for workers in (1, 2))
    assert one == two


def test_worker_processes_do_not_import_what_writes_the_page():
    """Each would wait for the template engine, and needs nothing of it."""
    code = (
        "import sys, mask_generation.previews.inspect_images; "
        "print(sorted({'jinja2', 'tensorflow'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert out == b"[]\n"
