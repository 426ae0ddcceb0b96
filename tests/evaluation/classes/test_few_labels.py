import numpy as np
import pytest

from harl_tf.evaluation import few_labels

LABELS = np.random.default_rng(0).permutation(np.repeat([0, 1, 5], [200, 30, 4]))


@pytest.mark.parametrize(
    ("share", "counts"), [(0.01, [2, 1, 1]), (0.1, [20, 3, 1]), (1.0, [200, 30, 4])]
)
def test_share_of_every_class_is_drawn(share, counts):
    """Rounded, and at least one."""
    drawn = few_labels(LABELS, share)
    assert [int(drawn[label == LABELS].sum()) for label in (0, 1, 5)] == counts


def test_number_of_every_class_is_drawn():
    drawn = few_labels(LABELS, per_class=3)
    assert np.bincount(LABELS[drawn]).tolist() == [3, 3, 0, 0, 0, 3]


def test_seed_decides_and_larger_draws_contain_smaller_ones():
    small, large, other = (
        few_labels(LABELS, per_class=2, seed=1),
        few_labels(LABELS, per_class=4, seed=1),
        few_labels(LABELS, per_class=2, seed=2),
    )
    assert np.array_equal(small, few_labels(LABELS, per_class=2, seed=1))
    assert np.all(large[small])
    assert not np.array_equal(small, other)


def test_draw_of_a_class_does_not_depend_on_the_others():
    more = np.concatenate([LABELS, np.full(50, 7)])
    assert np.array_equal(few_labels(more, 0.1)[: len(LABELS)], few_labels(LABELS, 0.1))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "either share or per_class"),
        ({"share": 0.1, "per_class": 1}, "either share or per_class"),
        ({"share": 0.0}, r"share within \(0, 1\]"),
        ({"per_class": 0}, "per_class ≥ 1"),
        ({"per_class": 5}, "at least 5 images of every class. Received: 4 of class 5"),
    ],
)
def test_wrong_arguments_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        few_labels(LABELS, **arguments)
