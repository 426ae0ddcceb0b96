import numpy as np
import pytest

from mask_generation.cut.otsu import otsu_mask, otsu_split


def test_mask_is_binary_uint8_for_two_groups() -> None:
    saliency = np.array([[0.0, 0.1, 0.9], [0.1, 1.0, 0.0]], dtype=np.float32)
    mask, quality = otsu_mask(saliency)
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[0, 0, 1], [0, 1, 0]]
    assert isinstance(quality, float)


def test_split_lies_between_the_groups_for_few_values() -> None:
    for gap in np.linspace(0.11, 0.19, 33):
        values = np.array([0.0, gap, 0.9, 1.0])
        assert gap < otsu_split(values) <= 0.9


def test_split_is_the_value_when_all_are_equal() -> None:
    assert otsu_split(np.full(3, 0.4)) == 0.4


def test_split_rejects_no_values() -> None:
    with pytest.raises(ValueError, match="Expected at least one value"):
        otsu_split(np.zeros(0))


def test_quality_equals_hand_computed_ratio() -> None:
    # Groups {0, .2} and {.8, 1}: means .1 and .9, so between-class variance is .25 * .8^2 = .16;
    # each group adds a within-class variance of .01, so the total is .17.
    _, quality = otsu_mask(np.array([[0.0, 0.2, 0.8, 1.0]]))
    assert quality == pytest.approx(0.16 / 0.17)


def test_quality_is_one_for_two_values() -> None:
    mask, quality = otsu_mask(np.array([[0.0, 0.0, 0.7]], dtype=np.float32))
    assert mask.tolist() == [[0, 0, 1]]
    assert quality == pytest.approx(1.0)


def test_quality_falls_when_groups_overlap() -> None:
    rng = np.random.default_rng(0)
    halves = np.repeat([0.3, 0.7], 500).reshape(20, 50)
    clean = otsu_mask(np.clip(halves + rng.normal(0, 0.02, halves.shape), 0, 1))[1]
    noisy = otsu_mask(np.clip(halves + rng.normal(0, 0.20, halves.shape), 0, 1))[1]
    assert 0.0 < noisy < clean < 1.0


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_mask_is_empty_for_flat_map(value: float) -> None:
    mask, quality = otsu_mask(np.full((4, 6), value, dtype=np.float32))
    assert mask.shape == (4, 6)
    assert not mask.any()
    assert quality == 0.0


def test_mask_is_empty_for_map_flat_up_to_rounding() -> None:
    saliency = np.full((4, 6), 1.0, dtype=np.float32)
    saliency[0, 0] = np.nextafter(np.float32(1.0), np.float32(0.0))
    mask, quality = otsu_mask(saliency)
    assert not mask.any()
    assert quality == 0.0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rejects_values_that_are_not_finite(bad: float) -> None:
    with pytest.raises(ValueError, match="Expected finite values"):
        otsu_mask(np.array([[0.0, bad]]))


@pytest.mark.parametrize("shape", [(3,), (2, 2, 1), (0, 4)])
def test_rejects_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Expected saliency of shape"):
        otsu_mask(np.zeros(shape))
