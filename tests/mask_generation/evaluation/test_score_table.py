import csv

import pytest

from mask_generation.evaluation import score_table
from mask_generation.evaluation.evaluate import Evaluation, Score

SCORES = (
    Score("images/a.jpg", 0.9, 0.8, None, 0.3, 10.0),
    Score("images/b.jpg", 0.5, 0.7, None, 0.2, 20.0),
    Score("images/c.jpg", 0.1, 0.0, "flat image", 0.0, 30.0),
)
MASKS = Evaluation("horses", "fast", None, "masks", SCORES, 0.81234567, 0.25)
BOXES = Evaluation("kangaroo", "fast", 1, "boxes", SCORES, None, None)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_table_of_masks_has_no_column_for_boxes():
    header, row = score_table.format_table([MASKS]).splitlines()
    assert header.split("  ")[0] == "folder"
    for absent in ("half", "box IoU", "CorLoc"):
        assert absent not in header
    # mean of .9, .5, .1; one of three below .3; one of three flagged; both in the same order
    assert row.split() == [
        *["horses", "fast", "3", "0.500", "0.812", "0.250", "0.333", "0.333", "1.000", "20.0"]
    ]


def test_table_of_both_marks_what_does_not_apply():
    header, masks, boxes = score_table.format_table([MASKS, BOXES]).splitlines()
    cells = "horses fast – 3 0.500 0.812 0.250 – – 0.333 0.333 1.000 20.0"
    assert masks.split() == cells.split(" ")
    cells = "kangaroo fast 1 3 – – – 0.500 0.667 0.333 0.333 1.000 20.0"
    assert boxes.split() == cells.split(" ")
    for name in ("box IoU", "CorLoc", "flagged", "ms"):  # columns stand under one another
        start = header.index(name)
        assert masks[start - 1] == boxes[start - 1] == " "
        assert masks[start] != " "
        assert boxes[start] != " "


def test_table_as_csv_leaves_cells_empty(tmp_path):
    score_table.write_table(tmp_path / "table.csv", [MASKS, BOXES])
    masks, boxes = rows(tmp_path / "table.csv")
    assert (masks["folder"], masks["half"], masks["max F"]) == ("horses", "", "0.812346")
    assert (masks["box IoU"], masks["CorLoc"]) == ("", "")
    assert (boxes["half"], boxes["IoU"], boxes["box IoU"]) == ("1", "", "0.5")
    assert float(boxes["CorLoc"]) == pytest.approx(2 / 3, abs=1e-6)


def test_scores_as_csv_have_a_row_per_photograph(tmp_path):
    score_table.write_scores(tmp_path / "scores.csv", [MASKS, BOXES])
    found = rows(tmp_path / "scores.csv")
    assert [row["name"] for row in found] == 2 * [score.name for score in SCORES]
    assert [row["folder"] for row in found] == ["horses"] * 3 + ["kangaroo"] * 3
    assert found[2] == {
        "folder": "horses",
        "method": "fast",
        "name": "images/c.jpg",
        "iou": "0.1",
        "quality": "0.0",
        "flag": "flat image",
        "share": "0.0",
        "ms": "30.0",
    }
    assert found[0]["flag"] == ""


def test_correlation_that_is_not_defined_is_no_number(tmp_path):
    one = Evaluation("horses", "fast", None, "masks", SCORES[:1], 0.8, 0.2)
    assert "quality~IoU" not in score_table.format_table([one])
    assert "quality~IoU" in score_table.format_table([one, MASKS])
