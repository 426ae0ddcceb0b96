"""What a score says beside the accuracy."""

import math

import numpy as np
import pytest

from harl_tf.evaluation import Score, knn_accuracy, knn_score
from harl_tf.evaluation.score import chance_accuracy, in_words, short


def test_standard_error_is_that_of_a_binomial_share():
    """√(.44 × .56 / 25) = .0993."""
    score = Score("kNN", 0.44, images=25, chance=1 / 3)
    assert score.standard_error == pytest.approx(0.0993, abs=1e-4)
    assert str(score) == "kNN .44 ± .10 of 25 images, chance .33"


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_no_set_is_large_enough_to_be_certain(accuracy):
    """As with half an image of eight: √(1/16 × 15/16 / 8)."""
    score = Score("kNN", accuracy, images=8, chance=0.5)
    assert score.standard_error == pytest.approx(math.sqrt(15 / 16 / 16 / 8))


def test_chance_is_always_naming_the_most_frequent_class():
    """Class 2 of the training images; two of five test images are of it."""
    assert chance_accuracy(np.array([2, 2, 0, 1]), np.array([2, 0, 2, 1, 1])) == 0.4


def test_no_more_neighbors_vote_than_the_smallest_class_has():
    """Two images of class 0 at the query's place are outvoted by three of class 1 further off."""
    near, far = [1.0, 0.0], [0.8, 0.6]
    train, labels = np.array([near, near, far, far, far]), np.array([0, 0, 1, 1, 1])
    score = knn_score(train, labels, np.array([near]), np.array([0]), 20, temperature=100.0)
    assert score.accuracy == 1.0
    assert knn_accuracy(train, labels, np.array([near]), np.array([0]), 20, 100.0) == 0.0


def test_scores_of_the_same_images_share_a_line():
    scores = [Score("kNN", 0.44, 25, 1 / 3), Score("linear", 0.52, 25, 1 / 3)]
    assert in_words(scores) == "kNN .44 ± .10, linear .52 ± .10 of 25 images, chance .33"


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, ".00"), (0.996, "1.00"), (0.994, ".99"), (10.04, "10.04")]
)
def test_shares_have_two_decimals(share, text):
    assert short(share) == text
