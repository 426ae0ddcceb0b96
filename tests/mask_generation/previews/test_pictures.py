import numpy as np
import pytest

from mask_generation.left_out import LeftOut
from mask_generation.previews.pictures import Numbers, Picture, Summary


def summarize(qualities, first=0):
    return Summary([Numbers(first + index, q, 0.5, "") for index, q in enumerate(qualities)])


def test_summary_keeps_the_numbers_and_counts_the_flags():
    found = Summary(
        [
            Numbers(0, 0.5, 0.25, "flat image"),
            LeftOut("b.jpg", "empty file"),
            Numbers(2, 0.75, 0.5, ""),
            Numbers(3, 1.0, 0.0, ""),
        ]
    )
    assert len(found) == 3
    assert found.index.tolist() == [0, 2, 3]
    assert found.quality.tolist() == [0.5, 0.75, 1.0]
    assert found.share.tolist() == [0.25, 0.5, 0.0]
    assert list(found.flags.items()) == [("", 2), ("flat image", 1)]
    assert found.left_out == [LeftOut("b.jpg", "empty file")]


def test_summary_names_a_hundred_left_out_and_counts_all():
    found = Summary([LeftOut(f"{index}.jpg", "empty file") for index in range(250)])
    assert (len(found), len(found.left_out), found.left_out_count) == (0, 100, 250)


def test_summary_takes_a_few_bytes_for_each_photograph():
    """8 bytes for each of three numbers, and nothing else that grows."""
    numbers = Numbers(0, 0.5, 0.5, "")
    found = Summary(numbers for _ in range(100_000))
    arrays = found.index, found.quality, found.share
    assert sum(values.nbytes for values in arrays) == 24 * 100_000
    assert len(found.flags) == 1


def test_half_of_those_chosen_are_the_worst_and_the_others_are_spread():
    """Twenty of rising quality: 0 to 2 are the worst, then every sixth of the seventeen others."""
    assert sorted(summarize(np.linspace(0, 1, 20)).choose(6)) == [0, 1, 2, 3, 8, 14]


def test_worst_are_chosen_wherever_they_are():
    qualities = np.full(100, 0.9)
    qualities[[13, 57, 99]] = (0.3, 0.1, 0.2)
    assert {13, 57, 99} <= summarize(qualities).choose(6)


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (2, 2), (5, 5), (7, 7), (8, 7), (100, 7)])
def test_count_are_chosen_or_all_there_are(count, expected):
    assert len(summarize([0.5] * 7).choose(count)) == expected


def test_chosen_are_positions_in_the_folder_not_among_the_usable():
    assert summarize([0.9, 0.1], first=40).choose(1) == {41}


def test_histogram_counts_both_ends():
    shares = [0.0, 0.049, 0.05, 0.5, 0.999, 1.0]
    counts = Summary([Numbers(0, 1.0, share, "") for share in shares]).histogram(20)
    assert (counts[0], counts[1], counts[10], counts[19]) == (2, 1, 1, 2)
    assert sum(counts) == 6


def test_reduced_picture_keeps_proportions_and_what_is_foreground():
    mask = np.zeros((100, 200), np.uint8)
    mask[:, 100:] = 1
    image = np.repeat(mask[..., None] * 200, 3, -1)
    picture = Picture("a", Numbers(0, 1.0, 0.5, ""), image, mask, mask.astype(np.float32))
    small = picture.reduced(50)
    assert small.image.shape == (25, 50, 3)
    assert small.mask.dtype == np.uint8
    np.testing.assert_array_equal(small.mask, mask[::4, ::4])
    assert small.saliency.shape == (25, 50)
    np.testing.assert_allclose(small.saliency[:, [0, -1]], [[0, 1]] * 25)
    assert picture.reduced(200) is picture


def test_reduced_picture_has_at_least_one_pixel_a_side():
    image, mask = np.zeros((1, 20_000, 3), np.uint8), np.zeros((1, 20_000), np.uint8)
    small = Picture("a", Numbers(0, 1.0, 0.0, ""), image, mask, None).reduced(256)
    assert small.image.shape == (1, 256, 3)
    assert small.saliency is None
