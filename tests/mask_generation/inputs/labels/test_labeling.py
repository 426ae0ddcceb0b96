import pytest

from mask_generation.inputs.labels.labeling import numbered


def test_whole_numbers_are_labels_and_minus_one_is_none():
    assert numbered(["2", "-1"]) == (("0", "1", "2"), {"2": 2, "-1": -1})


def test_whole_numbers_count_the_given_classes():
    assert numbered(["1", "-1", "1"], ("cat", "dog"))[1] == {"1": 1, "-1": -1}


def test_given_classes_may_be_named_by_numbers():
    """Then the name counts: 7 is the first class."""
    assert numbered(["7"], ("7", "9"))[1] == {"7": 0}


@pytest.mark.parametrize("name", ["2", "-2", "Cat", "cat "])
def test_other_words_are_refused(name):
    with pytest.raises(OSError, match="Expected every class among the 2 given ones"):
        numbered(["1", name], ("cat", "dog"))
