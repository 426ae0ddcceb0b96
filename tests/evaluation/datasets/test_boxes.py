"""The same two photographs in both formats."""

import json
import struct

import numpy as np
import pytest
from PIL import Image

from harl_tf.evaluation import average_precision, read_coco, read_voc
from harl_tf.evaluation.datasets.photograph import of_size

SIZE = (40, 30)
OBJECTS = {"a.png": [("dog", [2, 3, 12, 23]), ("cat", [0, 0, 40, 30])], "b.png": []}


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images").mkdir()
    for name in OBJECTS:
        Image.new("RGB", SIZE).save(tmp_path / "images" / name)
    return tmp_path / "images"


def coco(tmp_path, change=lambda content: None):
    content = {
        "images": [
            {"id": 7 + number, "file_name": name, "width": SIZE[0], "height": SIZE[1]}
            for number, name in enumerate(OBJECTS)
        ],
        "categories": [{"id": 90, "name": "dog"}, {"id": 3, "name": "cat"}],
        "annotations": [
            {"image_id": 7, "category_id": 90, "bbox": [2, 3, 10, 20]},
            {"image_id": 7, "category_id": 3, "bbox": [-1, -2, 99, 99]},
            {"image_id": 7, "category_id": 3, "bbox": [5, 5, 0, 9]},
            {"image_id": 8, "category_id": 3, "bbox": [5, 5, 9, 9], "iscrowd": 1},
        ],
    }
    change(content)
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(content))
    return path


def voc(tmp_path, change=lambda text: text):
    folder = tmp_path / "annotations"
    folder.mkdir()
    for name, objects in OBJECTS.items():
        boxes = "".join(
            f"<object><name>{label}</name><bndbox><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin>"
            f"<xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>"
            for label, (x, y, right, bottom) in objects
        )
        hard = boxes.replace("<bndbox>", "<difficult>1</difficult><bndbox>")
        text = (
            f"<annotation><filename>{name}</filename><size><width>{SIZE[0]}</width>"
            f"<height>{SIZE[1]}</height></size>{boxes}{hard}</annotation>"
        )
        (folder / name).with_suffix(".xml").write_text(change(text))
    return folder


@pytest.mark.parametrize("read", ["coco", "voc"])
def test_boxes_are_left_top_right_bottom(tmp_path, images, read):
    """Of COCO the second box is cut off at the edges and the third has no area; crowds and
    difficult objects are ignored."""
    data = read_coco(coco(tmp_path), images) if read == "coco" else read_voc(voc(tmp_path), images)
    assert data.classes == ("cat", "dog")
    assert [each.path.name for each in data.images] == list(OBJECTS)
    first, second = (each.boxes for each in data.images)
    np.testing.assert_array_equal(first.corners, [box for _, box in OBJECTS["a.png"]])
    assert first.classes.tolist() == [1, 0]
    assert second.corners.shape == (0, 4)
    assert data.left_out == (1 if read == "coco" else 0)
    truth = [first, second]
    assert average_precision(truth, truth).ap == pytest.approx(1)
    ignored = [len(each.ignored.classes) for each in data.images]
    assert ignored == ([0, 1] if read == "coco" else [2, 0])


def test_difficult_objects_of_voc_can_be_kept(tmp_path, images):
    data = read_voc(voc(tmp_path), images, classes=["dog", "cat"], difficult=True)
    assert data.images[0].boxes.classes.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content.pop("categories"), "Expected .* to be COCO's JSON"),
        (lambda content: content["annotations"][0].update(image_id=99), "KeyError, 99"),
        (lambda content: content["annotations"][0].update(category_id=1), "KeyError, 1"),
        (lambda content: content["annotations"][0].update(bbox=[50, 3, 4, 4]), "within the 40×30"),
        (lambda content: content["annotations"][0].update(bbox=None), "TypeError"),
    ],
)
def test_bad_coco_is_named(tmp_path, images, change, words):
    with pytest.raises(ValueError, match=words):
        read_coco(coco(tmp_path, change), images)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[:-20], "Expected .*a.xml to be an annotation"),
        (lambda text: text.replace("xmin", "x"), "no bndbox/xmin"),
        (lambda text: text.replace("<xmin>3<", "<xmin>many<"), "many"),
        (
            lambda text: text.replace("<xmin>3<", "<xmin>60<").replace("12", "70"),
            "within the 40×30",
        ),
    ],
)
def test_bad_voc_is_named(tmp_path, images, change, words):
    with pytest.raises(ValueError, match=words):
        read_voc(voc(tmp_path, change), images)


def test_class_that_was_not_given_is_named(tmp_path, images):
    with pytest.raises(ValueError, match=r"Expected objects of cat in .*Received: 'dog'"):
        read_voc(voc(tmp_path), images, classes=["cat"])


@pytest.mark.parametrize("read", ["coco", "voc"])
def test_image_that_is_missing_is_named(tmp_path, images, read):
    (images / "b.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"names .*b\.png', which does not exist"):
        read_coco(coco(tmp_path), images) if read == "coco" else read_voc(voc(tmp_path), images)


@pytest.mark.parametrize("value", ["9" * 400, "1e999", "NaN", "-Infinity", "[" * 100_000])
@pytest.mark.parametrize("place", ['"width": 40', '"bbox": [2'])
def test_numbers_that_are_none_are_refused(images, tmp_path, value, place):
    path = coco(tmp_path)
    text = path.read_text()
    old = place.rpartition("[" if "[" in place else " ")[2]
    assert place in text
    path.write_text(text.replace(place, place.removesuffix(old) + value, 1))
    with pytest.raises(ValueError, match="Expected") as caught:
        read_coco(path, images)
    assert len(str(caught.value)) < 1000


def test_entities_of_entities_are_not_expanded(images, tmp_path):
    """A billion times "ha"; the parser of Python stops at a hundred times the file."""
    entities = "".join(
        f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">' for number in range(1, 10)
    )
    head = f'<!DOCTYPE annotation [<!ENTITY e0 "ha">{entities}]>'
    folder = voc(tmp_path, lambda text: head + text.replace("dog", "&e9;"))
    with pytest.raises(ValueError, match="Pascal VOC"):
        read_voc(folder, images)


@pytest.mark.parametrize("box", [["x" * 10**5, 0, 1, 1], [float("nan")] * 4])
def test_long_boxes_are_not_quoted_as_a_whole(images, tmp_path, box):
    path = coco(tmp_path, lambda content: content["annotations"][0].update(bbox=box))
    with pytest.raises(ValueError, match="Expected") as caught:
        read_coco(path, images)
    assert len(str(caught.value)) < 1000


def test_outline_without_a_box_is_left_out_and_odd_boxes_are_named(images, tmp_path):
    """One of four annotations has no area anyway."""
    path = coco(tmp_path, lambda content: content["annotations"][0].update(bbox=[]))
    assert read_coco(path, images).left_out == 2
    path = coco(tmp_path, lambda content: content["annotations"][0].update(bbox=[1, 2], id=5))
    with pytest.raises(ValueError, match=r"four numbers as bbox in .*\[1, 2\] of the annotation 5"):
        read_coco(path, images)


def test_metadata_never_refuse_a_photograph(images):
    """A resolution's unit as a byte, beside an orientation, fails Pillow's own way of turning."""
    turned = struct.pack("<HHIHH", 0x112, 3, 1, 6, 0)
    entries = turned + struct.pack("<HHI", 0x128, 1, 1) + b"\2\0\0\0"
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + entries + bytes(4)
    Image.new("RGB", SIZE[::-1]).save(images / "a.png", "JPEG", exif=exif)
    assert of_size(images / "a.png", *SIZE).size == SIZE
