"""Every metric against scikit-learn or a case worked by hand."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from mask_generation.evaluation import metrics


@pytest.fixture
def random():
    return np.random.default_rng(0)


def test_iou_is_scikit_learns_jaccard_score(random):
    for _ in range(5):
        mask, truth = random.integers(0, 2, (2, 9, 7))
        expected = sklearn_metrics.jaccard_score(truth.ravel(), mask.ravel())
        assert metrics.intersection_over_union(mask, truth) == pytest.approx(expected)


def test_iou_counts_every_non_zero_pixel_as_foreground():
    """A mask of 0 and 1 against one of 0 and 255, equal but for one of three pixels."""
    iou = metrics.intersection_over_union(np.array([[1, 1, 0]]), np.array([[255, 255, 255]]))
    assert iou == pytest.approx(2 / 3)


@pytest.mark.parametrize(("mask", "truth", "expected"), [(0, 0, 1.0), (0, 1, 0.0), (1, 0, 0.0)])
def test_iou_of_empty_masks(mask, truth, expected):
    pair = np.full((2, 3), mask), np.full((2, 3), truth)
    assert metrics.intersection_over_union(*pair) == expected


def test_absolute_error_is_scikit_learns(random):
    saliency, truth = random.random((6, 5)), random.integers(0, 2, (6, 5))
    expected = sklearn_metrics.mean_absolute_error(truth.ravel(), saliency.ravel())
    assert metrics.mean_absolute_error(saliency, truth) == pytest.approx(expected)
    assert metrics.mean_absolute_error(saliency, truth * 255) == pytest.approx(expected)


@pytest.mark.parametrize("level", [0, 77, 255])
def test_precision_and_recall_are_scikit_learns_at_every_level(random, level):
    saliency = random.random((12, 11)).astype(np.float32)
    truth = random.integers(0, 2, (12, 11))
    precision, recall = metrics.precision_recall(saliency, truth)
    assert precision.shape == recall.shape == (256,)
    found = np.round(saliency * 255).ravel() >= level
    expected = [
        score(truth.ravel(), found, zero_division=0)
        for score in (sklearn_metrics.precision_score, sklearn_metrics.recall_score)
    ]
    assert [precision[level], recall[level]] == pytest.approx(expected)


def test_precision_and_recall_without_anything_to_find():
    precision, recall = metrics.precision_recall(np.ones((2, 2)), np.zeros((2, 2)))
    assert not precision.any()
    assert (recall == 1).all()


def test_precision_is_zero_where_nothing_is_found():
    precision, recall = metrics.precision_recall(np.full((2, 2), 0.5), np.ones((2, 2)))
    assert precision[[0, 128, 129, 255]].tolist() == [1, 1, 0, 0]
    assert recall[[0, 128, 129, 255]].tolist() == [1, 1, 0, 0]


def test_max_f_is_the_largest_of_scikit_learns_fbeta_scores(random):
    """Of one photograph the mean curve is its own, so F can be computed from the cuts."""
    truth = random.integers(0, 2, 200)
    saliency = np.clip(0.3 * truth + 0.7 * random.random(200), 0, 1)
    curve = metrics.precision_recall(saliency[None], truth[None])
    levels = np.round(saliency * 255)
    expected = max(
        sklearn_metrics.fbeta_score(truth, levels >= level, beta=0.3**0.5, zero_division=0)
        for level in range(256)
    )
    assert metrics.max_f_beta(*curve) == pytest.approx(expected)


def test_max_f_where_precision_and_recall_are_both_zero():
    assert metrics.max_f_beta(np.zeros(3), np.zeros(3)) == 0


def test_box_is_that_of_the_largest_part():
    mask = np.zeros((10, 12), np.uint8)
    mask[0, 0] = 1  # a speck that would stretch the box to the corner
    mask[4:7, 5:11] = 1
    assert metrics.box_of(mask) == (5, 4, 10, 6)


def test_parts_that_touch_at_a_corner_are_one():
    """Two squares of 2 × 2: as one part their box is 4 × 4."""
    mask = np.kron(np.eye(2, dtype=np.uint8), np.ones((2, 2), np.uint8))
    assert metrics.box_of(mask) == (0, 0, 3, 3)


def test_empty_mask_has_no_box_and_finds_nothing():
    assert metrics.box_of(np.zeros((3, 3))) is None
    assert metrics.best_box_iou(None, [(0, 0, 1, 1)]) == 0


@pytest.mark.parametrize(
    ("box", "other", "expected"),
    [
        ((0, 0, 9, 9), (0, 0, 9, 9), 1.0),
        ((0, 0, 9, 9), (5, 0, 14, 9), 50 / 150),  # half of either
        ((0, 0, 9, 9), (10, 0, 19, 9), 0.0),  # side by side
        ((0, 0, 9, 9), (9, 9, 18, 18), 1 / 199),  # one pixel, as the last ones belong to the box
        ((0, 0, 9, 9), (2, 2, 3, 3), 4 / 100),  # one in the other
    ],
)
def test_box_iou_by_hand(box, other, expected):
    assert metrics.best_box_iou(box, [other]) == pytest.approx(expected)
    assert metrics.best_box_iou(other, [box]) == pytest.approx(expected)


def test_box_iou_is_that_of_the_boxes_drawn_as_masks(random):
    for _ in range(20):
        drawn, boxes = np.zeros((2, 20, 20), bool), []
        for canvas in drawn:
            left, right = np.sort(random.integers(0, 20, 2))
            top, bottom = np.sort(random.integers(0, 20, 2))
            canvas[top : bottom + 1, left : right + 1] = True
            boxes.append((left, top, right, bottom))
        expected = metrics.intersection_over_union(*drawn)
        assert metrics.best_box_iou(boxes[0], boxes[1:]) == pytest.approx(expected)


def test_best_of_several_boxes_counts():
    boxes = [(50, 50, 60, 60), (0, 0, 9, 4), (0, 0, 1, 1)]
    assert metrics.best_box_iou((0, 0, 9, 9), boxes) == pytest.approx(0.5)


def test_rank_correlation_with_a_tie_by_hand():
    """Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: Pearson's correlation of the ranks is 4.5/√(4.5·5)."""
    found = metrics.rank_correlation([0.1, 0.2, 0.2, 0.9], [1, 30, 20, 400])
    assert found == pytest.approx(4.5 / (4.5 * 5) ** 0.5)


@pytest.mark.parametrize("pair", [([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [5] * 3)])
def test_rank_correlation_that_is_not_defined(pair):
    assert metrics.rank_correlation(*pair) is None


@pytest.mark.parametrize(
    "score",
    [metrics.intersection_over_union, metrics.mean_absolute_error, metrics.precision_recall],
)
def test_shapes_that_differ_are_refused(score):
    with pytest.raises(ValueError, match=r"Received: \(2, 3\) and \(3, 2\)"):
        score(np.zeros((2, 3)), np.zeros((3, 2)))
