import csv
import dataclasses

import cv2
import numpy as np
import pytest
from PIL import Image
from sklearn import metrics as sklearn_metrics

from conftest import make_photograph
from mask_generation.evaluation import evaluate as evaluation
from mask_generation.evaluation import metrics
from mask_generation.evaluation.evaluate import evaluate
from mask_generation.evaluation.truth import EvaluationError, half_of
from mask_generation.result import ForegroundMask


@dataclasses.dataclass(frozen=True)
class Bright:
    """Foreground is what is bright; quality is the mean, so known for a grey image."""

    flag: str | None = None

    def __call__(self, rgb):
        saliency = (rgb.mean(-1) / 255).astype(np.float32)
        mask = (saliency >= 0.5).astype(np.uint8)
        return ForegroundMask(mask, saliency, float(saliency.mean()), self.flag)


def gray(columns):
    """Photograph of 20 rows whose columns have these values; JPEG keeps blocks of 8 of them."""
    return np.repeat(np.repeat(np.array(columns, np.uint8)[None], 24, 0)[..., None], 3, -1)


@pytest.fixture
def masks(tmp_path):
    """Three photographs 32 wide: left bright, right bright, all but the left quarter bright."""
    bright = {"a": [240] * 16 + [16] * 16, "b": [16] * 16 + [240] * 16, "c": [16] * 8 + [240] * 24}
    true = {"a": slice(0, 16), "b": slice(0, 16), "c": slice(16, 32)}
    for name in bright:
        for folder in ("images", "masks"):
            (tmp_path / folder).mkdir(exist_ok=True)
        Image.fromarray(gray(bright[name])).save(tmp_path / "images" / f"{name}.png")
        mask = np.zeros((24, 32), np.uint8)
        mask[:, true[name]] = 255
        Image.fromarray(mask).save(tmp_path / "masks" / f"{name}.png")
    return tmp_path


def test_metrics_against_masks_by_hand(masks):
    """IoU 1, 0 and 16/24: mean 5/9, one of three below 0.3.

    Absolute error: 15/255 or 16/255 where right, 240/255 or 239/255 where wrong; the quarter of c
    that is bright and not true is wrong.
    """
    found = evaluate(masks, Bright(), progress=False)
    assert [score.name for score in found.scores] == [f"images/{name}.png" for name in "abc"]
    assert [score.iou for score in found.scores] == pytest.approx([1, 0, 2 / 3])
    assert found.mean_iou == pytest.approx(5 / 9)
    assert found.low_share == pytest.approx(1 / 3)
    assert found.flagged_share == 0
    errors = [15.5 / 255, 239.5 / 255, (8 * 16 + 8 * 240 + 16 * 15) / 32 / 255]
    assert found.absolute_error == pytest.approx(np.mean(errors), abs=2 / 255)
    assert [score.share for score in found.scores] == [0.5, 0.5, 0.75]
    assert found.truth == "masks"
    assert found.corloc is None


def test_max_f_is_that_of_the_mean_curve_and_not_the_mean_of_the_best(masks):
    """At levels 17 to 239 the mean precision is (1 + 0 + 2/3)/3 and the mean recall 2/3."""
    precision, recall = 5 / 9, 2 / 3
    f_beta = 1.3 * precision * recall / (0.3 * precision + recall)
    everything = 1.3 * 0.5 / (0.3 * 0.5 + 1)
    assert f_beta > everything
    assert evaluate(masks, Bright(), progress=False).max_f == pytest.approx(f_beta)


def test_metrics_of_a_real_method_are_scikit_learns(tmp_path):
    """Truth is a disc that the photographs show; scored again from the method's own result."""
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    expected, absolute, quality = [], [], []
    for seed in range(4):
        # JPEG first, so that what is read is what is scored here.
        Image.fromarray(make_photograph(seed)).save(tmp_path / "images" / f"{seed}.jpg", quality=95)
        rgb = np.asarray(Image.open(tmp_path / "images" / f"{seed}.jpg"))
        truth = (rgb.max(-1) > 110).astype(np.uint8)
        Image.fromarray(truth).save(tmp_path / "masks" / f"{seed}.png")
        result = evaluation.foreground_mask(rgb, method="robust_background")
        expected.append(sklearn_metrics.jaccard_score(truth.ravel(), result.mask.ravel()))
        absolute.append(sklearn_metrics.mean_absolute_error(truth.ravel(), result.saliency.ravel()))
        quality.append(result.quality)
    found = evaluate(tmp_path, "robust_background", progress=False)
    assert [score.iou for score in found.scores] == pytest.approx(expected)
    assert found.absolute_error == pytest.approx(np.mean(absolute))
    assert [score.quality for score in found.scores] == quality
    assert found.rank_correlation == metrics.rank_correlation(quality, expected)
    assert found.method == "robust_background"
    assert found.folder == tmp_path.name


@pytest.fixture
def boxes(tmp_path):
    """Two photographs whose bright box is 16 × 16, and the boxes that are true."""
    (tmp_path / "images").mkdir()
    for name in "ab":
        image = np.full((32, 48, 3), 16, np.uint8)
        image[8:24, 16:32] = 240
        Image.fromarray(image).save(tmp_path / "images" / f"{name}.png")
    rows = [
        ("images/a.png", 48, 32, 16, 8, 31, 15),  # its upper half: 1/2
        ("images/a.png", 48, 32, 0, 0, 3, 3),
        ("images/b.png", 48, 32, 16, 8, 23, 15),  # a quarter of it
    ]
    write_boxes(tmp_path, rows)
    return tmp_path


def write_boxes(folder, rows):
    with (folder / "boxes.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "width", "height", "xmin", "ymin", "xmax", "ymax"])
        writer.writerows(rows)


def test_metrics_against_boxes_by_hand(boxes):
    found = evaluate(boxes, Bright(), progress=False)
    assert [score.iou for score in found.scores] == [0.5, 0.25]
    assert found.truth == "boxes"
    assert found.mean_iou == 0.375
    assert found.corloc == 0.5
    assert found.low_share == 0.5
    assert found.max_f is None
    assert found.absolute_error is None


def test_box_that_counts_from_one_is_cut_off_at_the_frame(boxes):
    """The box of the whole photograph: 16 · 16 of 48 · 32 pixels."""
    write_boxes(boxes, [("images/a.png", 48, 32, 0, 0, 48, 32)])
    (score,) = evaluate(boxes, Bright(), progress=False).scores
    assert score.iou == pytest.approx(16 * 16 / (48 * 32))


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ((47, 32, 0, 0, 3, 3), "47×32 pixels. Received: 48×32"),
        ((48, 32, 48, 0, 50, 3), "inside its 48×32 pixels. Received: "),
        ((48, 32, 0, -9, 3, -1), "inside its 48×32 pixels. Received: "),
    ],
)
def test_box_of_another_photograph_is_a_sentence(boxes, row, error):
    write_boxes(boxes, [("images/a.png", *row)])
    with pytest.raises(EvaluationError, match=error):
        evaluate(boxes, Bright(), progress=False)


def test_flagged_photographs_are_counted(masks):
    found = evaluate(masks, Bright("odd"), progress=False)
    assert found.flagged_share == 1
    assert {score.flag for score in found.scores} == {"odd"}


def test_halves_share_no_photograph_and_leave_none_out(masks):
    names = {f"images/{name}.png" for name in "abc"}
    halves = []
    for half in (0, 1):
        found = evaluate(masks, Bright(), half=half, progress=False)
        assert found.half == half
        halves.append({score.name for score in found.scores})
        assert halves[half] == {name for name in names if half_of(name) == half}
    assert halves[0] | halves[1] == names


def test_half_without_photographs_is_a_sentence(boxes):
    write_boxes(boxes, [("images/a.png", 48, 32, 0, 0, 3, 3)])
    other = 1 - half_of("images/a.png")
    with pytest.raises(EvaluationError, match=f"Half {other} of .* holds no photograph"):
        evaluate(boxes, Bright(), half=other, progress=False)


def test_two_workers_find_what_one_finds(masks):
    def without_time(found):
        return [dataclasses.replace(score, milliseconds=0) for score in found.scores]

    one = evaluate(masks, "robust_background", progress=False)
    two = evaluate(masks, "robust_background", workers=2, progress=False)
    assert without_time(one) == without_time(two)
    assert (one.max_f, one.absolute_error) == (two.max_f, two.absolute_error)


def test_first_call_of_a_method_is_not_timed(masks, monkeypatch):
    """A clock that goes on by 1 s in the first call and by 10 ms in the others."""
    now, calls = [0.0], []

    def method(rgb):
        now[0] += 0.01 if calls else 1.0
        calls.append(rgb)
        return Bright()(rgb)

    monkeypatch.setattr(evaluation.time, "process_time", lambda: now[0])
    found = evaluate(masks, method, progress=False)
    assert len(calls) == 4
    assert found.milliseconds == pytest.approx(10)


def test_method_is_timed_with_one_thread_of_opencv_and_the_others_come_back(masks):
    threads = []

    def method(rgb):
        threads.append(cv2.getNumThreads())
        return Bright()(rgb)

    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    try:
        evaluate(masks, method, progress=False)
        assert set(threads) == {1}
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


def test_mask_of_another_size_is_a_sentence(masks):
    Image.new("L", (32, 23)).save(masks / "masks" / "b.png")
    with pytest.raises(EvaluationError, match=r"masks/b.png .* 32×24 .* 32×23.*images/b.png"):
        evaluate(masks, Bright(), progress=False)


@pytest.mark.parametrize("workers", [1, 2])
def test_photograph_that_cannot_be_read_is_a_sentence(masks, workers):
    (masks / "images" / "b.png").write_bytes(b"")
    with pytest.raises(EvaluationError, match=r"images/b.png cannot be used: empty file\. Remove"):
        evaluate(masks, "robust_background", workers=workers, progress=False)


@pytest.mark.parametrize("arguments", [{"half": 2}, {"workers": 0}])
def test_wrong_arguments_are_refused(masks, arguments):
    with pytest.raises(ValueError, match="Expected half 0, 1 or None and workers ≥ 1"):
        evaluate(masks, Bright(), **arguments)


def test_unknown_method_is_refused_before_anything_is_read():
    with pytest.raises(ValueError, match="Expected method in"):
        evaluate("no/such/folder", "magic")
