import numpy as np
import pytest

from harl_tf.evaluation import Overlap, confusion


def iou(truth, found, label):
    """By counting pixels of one class."""
    counts = truth != 255
    both = np.sum((truth == label) & (found == label))
    return both / np.sum(counts & ((truth == label) | (found == label)))


def test_iou_of_every_class_is_that_of_counted_pixels():
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, (5, 8, 8)).astype("uint8")
    truth[:, :2] = 255
    found = np.where(random.uniform(size=truth.shape) < 0.6, truth % 3, 2)
    overlap = Overlap(
        "it", np.stack([confusion(*pair, 3) for pair in zip(truth, found, strict=True)])
    )
    expected = [iou(truth, found, label) for label in range(3)]
    np.testing.assert_allclose(overlap.by_class, expected, atol=1e-12)
    assert overlap.mean == pytest.approx(np.mean(expected))
    assert 0 < overlap.standard_error < 0.1


def test_class_that_is_nowhere_is_left_out():
    overlap = Overlap("it", confusion(np.array([0, 1]), np.array([0, 0]), 3)[None])
    assert overlap.by_class[:2].tolist() == [0.5, 0.0]
    assert np.isnan(overlap.by_class[2])
    assert overlap.mean == 0.25


@pytest.mark.parametrize(
    ("truth", "found", "words"),
    [
        ([0, 3], [0, 1], "Expected true labels from 0 to 2, or 255 .* Received: 3"),
        ([0, 1], [0, 255], "Expected found labels from 0 to 2"),
        ([0, 1], [0], "label maps of the same shape"),
    ],
)
def test_labels_outside_the_classes_are_named(truth, found, words):
    with pytest.raises(ValueError, match=words):
        confusion(np.array(truth), np.array(found), 3)
