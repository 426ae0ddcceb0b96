import numpy as np
import pytest

from mask_generation.cut.grabcut import grabcut
from mask_generation.cut.otsu import otsu_split


def object_on_ground() -> tuple[np.ndarray, np.ndarray]:
    """A red cross on green, a little noise over both, and the cross as bool."""
    cross = np.zeros((120, 160), bool)
    cross[20:100, 70:90] = cross[50:70, 40:120] = True
    image = np.where(cross[..., None], (190, 50, 40), (60, 150, 60))
    image = image + np.random.default_rng(0).integers(-9, 10, image.shape)
    return image.astype(np.uint8), cross


def blob_around_center() -> np.ndarray:
    """A guess that knows where the object is, not what shape it has."""
    rows, columns = np.mgrid[:120, :160]
    distance = ((rows - 60) / 40) ** 2 + ((columns - 80) / 40) ** 2
    return np.exp(-distance).astype(np.float32)


def test_edges_of_the_image_take_the_place_of_those_of_the_guess():
    image, cross = object_on_ground()
    guess = blob_around_center()
    plain = guess >= otsu_split(guess)
    mask = grabcut(image, guess, 160, 160) != 0
    agreement = (mask & cross).sum() / (mask | cross).sum()
    assert agreement > 0.9 > (plain & cross).sum() / (plain | cross).sum() + 0.2


def test_guess_may_be_smaller_than_the_image():
    image, _ = object_on_ground()
    mask = grabcut(image, blob_around_center()[::4, ::4], 80, 160)
    assert mask.shape == (120, 160)
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 1}


def test_mask_of_an_image_larger_than_the_cut_is_enlarged():
    image, cross = object_on_ground()
    large = np.kron(image, np.ones((3, 3, 1), np.uint8))
    mask = grabcut(large, blob_around_center(), 160, 160) != 0
    truth = np.kron(cross, np.ones((3, 3), bool))
    assert mask.shape == truth.shape
    assert (mask & truth).sum() / (mask | truth).sum() > 0.85


def test_result_that_strays_from_the_guess_gives_way_to_the_plain_cut():
    # All of the image has one color but for a far corner: nothing that the guess can be cut along.
    image = np.full((120, 160, 3), 90, np.uint8)
    guess = np.zeros((120, 160), np.float32)
    guess[40:80, 60:100] = 0.5
    mask = grabcut(image, guess, 160, 160) != 0
    plain = guess >= otsu_split(guess)
    assert (mask & plain).sum() / (mask | plain).sum() >= 0.3


def test_guess_with_hardly_any_foreground_is_cut_as_it_is():
    image, _ = object_on_ground()
    guess = np.zeros((120, 160), np.float32)
    guess[3, 3] = 1.0  # one pixel: fewer than colors to learn
    np.testing.assert_array_equal(grabcut(image, guess, 160, 160), (guess > 0).astype(np.uint8))


def test_specks_away_from_the_object_are_left_out():
    image, cross = object_on_ground()
    image[5:9, 5:9] = (190, 50, 40)
    guess = cross.astype(np.float32)
    guess[5:9, 5:9] = 1.0
    assert not grabcut(image, guess, 160, 160)[:15, :15].any()


@pytest.mark.parametrize("size", [(16, 16), (16, 400), (61, 33)])
def test_two_calls_give_equal_masks_of_the_right_size(size):
    random = np.random.default_rng(1)
    image = random.integers(0, 256, (*size, 3), dtype=np.uint8)
    guess = random.random(size).astype(np.float32)
    first = grabcut(image, guess, 160, 320)
    np.testing.assert_array_equal(first, grabcut(image.copy(), guess, 160, 320))
    assert first.shape == size


def test_thumbnail_is_cut_like_the_image_it_was_made_of():
    # A weight of contrast that does not know the size would smooth the thumbnail's cross away.
    image, cross = object_on_ground()
    small = np.ascontiguousarray(image[1::4, 1::4])
    mask = grabcut(small, blob_around_center()[1::4, 1::4], 160, 160) != 0
    truth = cross[1::4, 1::4]
    assert (mask & truth).sum() / (mask | truth).sum() > 0.9
