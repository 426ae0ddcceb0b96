"""COCO's average precision of boxes made by hand."""

import numpy as np
import pytest

from harl_tf.evaluation import Boxes, average_precision

ONE = Boxes(np.array([[0.0, 0.0, 10.0, 10.0], [20.0, 20.0, 40.0, 40.0]]), np.array([0, 1]))


def found(corners, classes=(0, 1), scores=(0.9, 0.8)):
    return Boxes(np.array(corners, float).reshape(-1, 4), np.array(classes), np.array(scores))


def test_true_boxes_are_perfect():
    result = average_precision([ONE, ONE], [found(ONE.corners), found(ONE.corners)])
    assert result == pytest.approx((1.0, 1.0, 1.0, 2))


def test_overlap_decides_at_which_threshold_a_box_counts():
    """The first box is cut to 7 of 10 columns, IoU .7: it counts at .5, .55, .6, .65 and .7, half
    of the ten thresholds; the second is perfect. COCO's thresholds are inclusive."""
    result = average_precision([ONE], [found([[0, 0, 7, 10], [20, 20, 40, 40]])])
    assert result.ap == pytest.approx((0.5 + 1) / 2, abs=1e-6)
    assert result.ap50 == pytest.approx(1.0, abs=1e-6)
    assert result.ap75 == pytest.approx(0.5, abs=1e-6)


def test_wrong_class_and_a_false_box_with_a_higher_score():
    """Class 0: the false box comes first, so precision at recall 1 is one half. Class 1: none."""
    result = average_precision(
        [ONE], [found([[50, 50, 60, 60], [0, 0, 10, 10]], classes=(0, 0), scores=(0.9, 0.8))]
    )
    assert result.ap50 == pytest.approx((0.5 + 0) / 2, abs=1e-6)


def test_ignored_boxes_are_neither_missed_nor_mistakes():
    """Without the second true box, and with a sure detection on it."""
    first, second = (Boxes(ONE.corners[part], ONE.classes[part]) for part in ([0], [1]))
    both = [found(ONE.corners, scores=(0.8, 0.9))]
    assert average_precision([first], both, [second]).ap == pytest.approx(1)
    only = [found(ONE.corners[:1], (0,), (0.8,))]
    assert average_precision([first], only, [second]).ap == pytest.approx(1)


def test_no_detection_is_no_error():
    nothing = found(np.zeros((0, 4)), (), ())
    assert average_precision([ONE], [nothing]).ap == 0


@pytest.mark.parametrize(
    ("truth", "detected", "words"),
    [
        ([ONE], [], "of the same images"),
        ([found(np.zeros((0, 4)), (), ())], [ONE], "at least one true box"),
        ([ONE], [found([[5, 5, 1, 9], [0, 0, 1, 1]])], "left, top, right, bottom"),
        ([ONE], [found([[5, 5, 9, 9]])], "a class and a score for each found box"),
    ],
)
def test_bad_input_is_named(truth, detected, words):
    with pytest.raises(ValueError, match=words):
        average_precision(truth, detected)
