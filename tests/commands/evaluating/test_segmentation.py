"""``python -m harl_tf evaluate-segmentation``."""

import csv

import numpy as np
import pytest
from PIL import Image

from tests.commands.backbones.test_classify import backbone, run

__all__ = ["backbone"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A bright square on dark noise, of two sizes of photographs."""
    place = tmp_path_factory.mktemp("segmentation")
    images, masks = place / "images", place / "masks"
    images.mkdir()
    masks.mkdir()
    random = np.random.default_rng(0)
    for number in range(12):
        side = 64 if number % 2 else 80
        mask = np.zeros((side, 64), np.uint8)
        x, y = random.integers(0, 32, 2)
        mask[y : y + 32, x : x + 32] = 1
        pixels = random.uniform(0, 60, (side, 64, 3)) + 180 * mask[..., None]
        Image.fromarray(pixels.astype("uint8")).save(images / f"{number}.png")
        mask[:2] = 255
        Image.fromarray(mask).save(masks / f"{number}.png")
    return images, masks


def test_overlap_of_every_class_is_written(backbone, folders, tmp_path, capsys):
    out = tmp_path / "out.csv"
    assert run("evaluate-segmentation", backbone, *folders, "--random", "--csv", out) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["evaluation"] for row in rows] == ["miou", "iou_0", "iou_1"] * 2
    assert float(rows[0]["value"]) == pytest.approx(
        np.mean([float(row["value"]) for row in rows[1:3]]), abs=1e-4
    )
    assert int(rows[0]["images"]) + int(rows[0]["labels"]) == 12
    said = capsys.readouterr().out
    assert "12 photographs, 2 classes" in said
    assert "random initialization:\n  linear mIoU ." in said


def test_photographs_of_their_own_to_score(backbone, folders, tmp_path):
    out = tmp_path / "out.csv"
    words = ("--test", *folders, "--csv", out)
    assert run("evaluate-segmentation", backbone, *folders, *words) == 0
    (row, *_) = csv.DictReader(out.read_text().splitlines())
    assert (row["images"], row["labels"]) == ("12", "12")


def test_scaled_photographs(backbone, folders, capsys):
    assert run("evaluate-segmentation", backbone, *folders, "--image-size", 32) == 0
    assert "2 classes" in capsys.readouterr().out


def changed(masks, folder, values):
    """The label maps with other numbers."""
    folder.mkdir()
    for path in masks.glob("*.png"):
        numbers = np.array(values, np.uint8)[np.asarray(Image.open(path)).clip(max=2)]
        Image.fromarray(numbers).save(folder / path.name)
    return folder


@pytest.mark.slow
def test_label_that_does_not_count_and_fine_tuning(backbone, folders, tmp_path, capsys):
    """Void is 0, and classes are 1 and 2."""
    words = ("--void", 0, "--image-size", 32, "--fine-tune", 1, "--csv", tmp_path / "out.csv")
    masks = changed(folders[1], tmp_path / "masks", [1, 2, 0])
    assert run("evaluate-segmentation", backbone, folders[0], masks, *words) == 0
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert [(row["evaluation"], row["steps"]) for row in rows] == [
        *((name, "") for name in ("miou", "iou_1", "iou_2")),
        *((f"fine_tuned_{name}", "1") for name in ("miou", "iou_1", "iou_2")),
    ]
    assert "DeepLabV3 mIoU " in capsys.readouterr().out


def test_masks_of_0_and_255_are_no_two_classes(backbone, folders, tmp_path, capsys):
    masks = changed(folders[1], tmp_path / "masks", [0, 255, 0])
    assert run("evaluate-segmentation", backbone, folders[0], masks) == 2
    assert "void (255), which does not count. In masks of 0 and 255, write 1" in (
        capsys.readouterr().err
    )


def test_network_that_cannot_be_fine_tuned_is_refused_before_anything_is_computed(
    backbone, folders, capsys
):
    words = ("--fine-tune", 1, "--image-size", 40)
    assert run("evaluate-segmentation", backbone, *folders, *words) == 2
    said = capsys.readouterr()
    assert "multiples of 16, the stride of P4. Received: 40×40" in said.err
    assert not said.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{images}", "no/such"), "Expected a mask in no/such for every photograph"),
        (("no/such", "{masks}"), "Expected photographs in no/such"),
        (("{images}", "{masks}", "--classes", "1"), "Expected at least two classes in"),
        (("{images}", "{masks}", "--csv", "no/such/out.csv"), "There is no folder no/such"),
    ],
)
def test_one_line_says_what_is_wrong(backbone, folders, capsys, words, said):
    words = [word.format(images=folders[0], masks=folders[1]) for word in words]
    assert run("evaluate-segmentation", backbone, *words) == 2
    found = capsys.readouterr().err
    assert said in found
    assert found.count("\n") == 1
