import numpy as np
import pytest
from PIL import Image

from mask_generation.evaluation.truth import EvaluationError, find_truth, half_of, read_mask

BOXES = "file,width,height,xmin,ymin,xmax,ymax,class_index,class\n"


def _image(path, size=(8, 6)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


@pytest.fixture
def folder(tmp_path):
    """Two photographs, without truth yet."""
    _image(tmp_path / "images" / "a.png")
    _image(tmp_path / "images" / "sub" / "b.v2.jpg")
    return tmp_path


@pytest.fixture
def masks(folder):
    _image(folder / "masks" / "a.png")
    _image(folder / "masks" / "sub" / "b.v2.png")
    return folder


def test_masks_are_those_of_the_same_stem(masks):
    found = find_truth(masks)
    assert [truth.name for truth in found] == ["images/a.png", "images/sub/b.v2.jpg"]
    expected = [str(masks / "masks" / "a.png"), str(masks / "masks" / "sub" / "b.v2.png")]
    assert [truth.mask for truth in found] == expected


def test_pairs_say_which_photographs_count_and_where_their_masks_are(masks):
    """With a byte-order mark, as spreadsheets write it."""
    (masks / "pairs.csv").write_text(
        "\ufefffile,mask,width\nimages/a.png,masks/sub/b.v2.png,8\n", encoding="utf-8"
    )
    (found,) = find_truth(masks)
    assert (found.name, found.mask) == ("images/a.png", str(masks / "masks" / "sub" / "b.v2.png"))


def test_pairs_without_masks_are_passed_over(masks):
    (masks / "pairs.csv").write_text("file,label\nimages/a.png,1\n")
    assert len(find_truth(masks)) == 2


def test_boxes_of_a_photograph_are_put_together(folder):
    (folder / "boxes.csv").write_text(
        BOXES
        + "images/sub/b.v2.jpg,8,6,0,0,3,3,1,cat\n"
        + 'images/a.png,8,6,1,1,2,2,0,"dog, small"\n'
        + "images/sub/b.v2.jpg,8,6,4,1,7,5,1,cat\n"
    )
    first, second = find_truth(folder)
    assert (first.name, first.boxes, first.size) == ("images/a.png", ((1, 1, 2, 2),), (8, 6))
    assert second.boxes == ((0, 0, 3, 3), (4, 1, 7, 5))
    assert second.mask is None


def test_boxes_may_be_among_the_labels_and_without_a_size(folder):
    (folder / "labels.csv").write_text("file,class,xmin,ymin,xmax,ymax\nimages/a.png,x,0,1,2,3\n")
    (found,) = find_truth(folder)
    assert (found.boxes, found.size) == (((0, 1, 2, 3),), None)


def test_masks_count_before_boxes(masks):
    (masks / "boxes.csv").write_text(BOXES + "images/a.png,8,6,1,1,2,2,0,dog\n")
    assert all(truth.mask and not truth.boxes for truth in find_truth(masks))


@pytest.mark.parametrize("table", ["labels.csv", "other.csv"])
def test_folder_without_truth_is_told_what_could_be_there(folder, table):
    (folder / table).write_text("file,class\nimages/a.png,cat\n")
    with pytest.raises(EvaluationError, match=r"holds no truth .* pairs.csv .* masks/NAME.png"):
        find_truth(folder)


def test_photograph_without_mask_is_named(masks):
    (masks / "masks" / "sub" / "b.v2.png").unlink()
    with pytest.raises(EvaluationError, match=r"images/sub/b.v2.jpg has no mask: .*b.v2.png\.$"):
        find_truth(masks)


def test_masks_without_photographs(tmp_path):
    _image(tmp_path / "masks" / "a.png")
    with pytest.raises(EvaluationError, match="has masks, but no photographs: There is no folder"):
        find_truth(tmp_path)


@pytest.mark.parametrize(
    ("table", "text", "error"),
    [
        ("pairs.csv", "file,mask\n", "holds no truth: its table has no row"),
        ("pairs.csv", "file,mask\nimages/a.png\n", r"line 2: there is no file .*\?\."),
        ("pairs.csv", "file,mask\nno.png,masks/a.png\n", r"line 2: there is no file .*no.png\."),
        ("pairs.csv", "file,mask\nimages/a.png,no.png\n", r"line 2: there is no file .*no.png\."),
        (
            "pairs.csv",
            "file,mask\n" + 2 * "images/a.png,images/a.png\n",
            "line 3: expected each file once. Received: images/a.png again",
        ),
        ("boxes.csv", BOXES + "no.png,8,6,0,0,1,1,0,x\n", "line 2: there is no file"),
        ("boxes.csv", BOXES + "images/a.png,8,6,0,0,x,1,0,x\n", "line 2: expected whole numbers"),
        ("boxes.csv", BOXES + "images/a.png,8,6,0,0\n", "line 2: expected whole numbers"),
        ("boxes.csv", BOXES + "images/a.png,8,6,5,0,4,1,0,x\n", "line 2: expected xmin ≤ xmax"),
        ("boxes.csv", BOXES + "images/a.png,8,6,0,5,4,4,0,x\n", "line 2: expected xmin ≤ xmax"),
    ],
)
def test_table_that_is_wrong_is_a_sentence(folder, table, text, error):
    (folder / table).write_text(text)
    with pytest.raises(EvaluationError, match=error) as raised:
        find_truth(folder)
    assert "\n" not in str(raised.value)


def test_table_that_is_not_text_is_a_sentence(folder):
    (folder / "pairs.csv").write_bytes(b"file,mask\n\xff\xfe,\xff\n")
    with pytest.raises(EvaluationError, match=r"Expected .*pairs.csv to be a table in UTF-8"):
        find_truth(folder)


def test_damaged_mask_is_a_sentence(tmp_path):
    path = tmp_path / "mask.png"
    path.write_text("no image")
    with pytest.raises(EvaluationError, match=r"mask.png cannot be used: its mask is not an image"):
        read_mask(path, path, (64, 64))
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(EvaluationError, match=r"mask.png cannot be used: its mask is damaged: "):
        read_mask(path, path, (64, 64))


def test_halves_are_about_equal_and_depend_on_the_name_alone():
    """Of 1000 fair coins, 500 ± 16 fall on either side; five such deviations are allowed."""
    halves = [half_of(f"images/{index}.jpg") for index in range(1000)]
    assert set(halves) == {0, 1}
    assert 420 < sum(halves) < 580
    assert halves == [half_of(f"images/{index}.jpg") for index in range(1000)]
