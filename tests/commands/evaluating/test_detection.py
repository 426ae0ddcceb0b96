"""``python -m harl_tf evaluate-detection``."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from harl_tf.commands.evaluating import detection
from harl_tf.commands.refusal import CommandError
from harl_tf.evaluation import read_coco
from tests.commands.backbones.test_classify import backbone, run

__all__ = ["backbone"]

VOC = """<annotation><filename>{0}.png</filename><size><width>64</width><height>64</height></size>
<object><name>square</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>40</xmax><ymax>40</ymax>
</bndbox></object></annotation>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Bright squares on dark noise, annotated in both formats."""
    place = tmp_path_factory.mktemp("detection")
    (place / "images").mkdir()
    (place / "voc").mkdir()
    random = np.random.default_rng(0)
    images, boxes = [], []
    for number in range(8):
        pixels = random.uniform(0, 60, (64, 64, 3))
        pixels[8:40, 8:40] += 180
        Image.fromarray(pixels.astype("uint8")).save(place / "images" / f"{number}.png")
        (place / "voc" / f"{number}.xml").write_text(VOC.format(number))
        images.append({"id": number, "file_name": f"{number}.png", "width": 64, "height": 64})
        boxes.append({"image_id": number, "category_id": 7, "bbox": [8, 8, 32, 32]})
    content = {
        "images": images,
        "annotations": boxes,
        "categories": [{"id": 7, "name": "square"}],
    }
    (place / "coco.json").write_text(json.dumps(content))
    return place


@pytest.mark.slow
def test_precision_is_written(backbone, folder, tmp_path, capsys):
    words = ("--steps", 1, "--csv", tmp_path / "out.csv")
    place = folder / "images", folder / "coco.json"
    assert run("evaluate-detection", backbone, *place, *words) == 0
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert [row["evaluation"] for row in rows] == ["ap", "ap50", "ap75"]
    assert all(int(row["images"]) + int(row["labels"]) == 8 for row in rows)
    assert {row["image_size"] for row in rows} == {"32"}
    said = capsys.readouterr().out
    assert "32×32 pixels, 8 photographs, 1 classes" in said
    assert f"AP {float(rows[0]['value']):.3f}" in said


def test_classes_of_other_photographs_are_those_of_the_same_name(folder):
    """There they have other numbers, and one that no box is of."""
    content = json.loads((folder / "coco.json").read_text())
    content["categories"] = [{"id": 1, "name": "circle"}, {"id": 9, "name": "square"}]
    for box in content["annotations"]:
        box["category_id"] = 9
    (folder / "other.json").write_text(json.dumps(content))
    data = read_coco(folder / "other.json", folder / "images")
    found = detection._with_classes(data, ("triangle", "square"), "other.json")
    assert {label for each in found for label in each.boxes.classes} == {1}
    with pytest.raises(CommandError, match=r"Expected boxes of triangle in .* Received: square\."):
        detection._with_classes(data, ("triangle",), "other.json")


@pytest.mark.slow
def test_photographs_of_their_own_to_score(backbone, folder, tmp_path):
    out = tmp_path / "out.csv"
    place = folder / "images", folder / "coco.json"
    words = ("--steps", 1, "--test", folder / "images", folder / "voc", "--csv", out)
    assert run("evaluate-detection", backbone, *place, *words) == 0
    (row, *_) = csv.DictReader(out.read_text().splitlines())
    assert (row["images"], row["labels"]) == ("8", "8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{images}", "no/such.json"), "No such file or directory: 'no/such.json'"),
        (("{images}", "{images}"), "There are no annotations, *.xml, in"),
        (("no/such", "{coco}"), "which does not exist"),
        (("{images}", "{coco}", "--image-size", "40"), "a multiple of 32"),
        (("{images}", "{coco}", "--csv", "no/such/out.csv"), "There is no folder no/such"),
    ],
)
def test_one_line_says_what_is_wrong(backbone, folder, capsys, words, said):
    names = {"images": folder / "images", "coco": folder / "coco.json"}
    words = [word.format(**names) for word in words]
    assert run("evaluate-detection", backbone, *words) == 2
    found = capsys.readouterr().err
    assert said in found
    assert found.count("\n") == 1
