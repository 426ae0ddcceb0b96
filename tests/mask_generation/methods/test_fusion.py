import dataclasses

import numpy as np
import pytest

from mask_generation.foreground import foreground_mask
from mask_generation.methods import METHODS, fusion
from mask_generation.methods.fusion import Fusion

TIERS = ("fast", "balanced", "best", "cropped")


def photograph(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A textured disc on a two-colored ground, and its true mask."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:150, :200]
    disc = (rows - 80) ** 2 + (columns - 95) ** 2 < 45**2
    image = np.where(rows[..., None] < 70, (90, 120, 160), (80, 110, 60))
    image = np.where(disc[..., None], (190, 90, 50), image)
    noise = np.kron(random.integers(-14, 15, (50, 67)), np.ones((3, 3)))[:150, :200, None]
    return (image + noise).clip(0, 255).astype(np.uint8), disc


@pytest.mark.parametrize("tier", TIERS)
def test_every_tier_finds_the_disc(tier):
    image, disc = photograph()
    result = foreground_mask(image, tier)
    found = result.mask != 0
    assert (found & disc).sum() / (found | disc).sum() > 0.9
    assert result.flag is None


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("size", [(16, 16), (16, 400), (64, 64), (33, 90)])
def test_results_have_the_right_form_for_every_size(tier, size):
    image = np.kron(np.random.default_rng(1).integers(0, 256, (4, 4, 3)), np.ones((100, 100, 1)))
    image = image[: size[0], : size[1]].astype(np.uint8)
    image[size[0] // 2 :, size[1] // 2 :] //= 2
    result = METHODS[tier](image)
    assert result.mask.shape == result.saliency.shape == size
    assert result.mask.dtype == np.uint8
    assert result.saliency.dtype == np.float32
    assert 0 <= result.saliency.min() <= result.saliency.max() <= 1
    assert 0 <= result.quality <= 1


@pytest.mark.parametrize("tier", TIERS)
def test_two_calls_give_equal_results(tier):
    image, _ = photograph()
    first, second = METHODS[tier](image), METHODS[tier](image.copy())
    np.testing.assert_array_equal(first.mask, second.mask)
    np.testing.assert_array_equal(first.saliency, second.saliency)
    assert first.quality == second.quality


def test_frame_is_background_and_changes_nothing_inside():
    image, disc = photograph()
    framed = np.pad(image, ((8, 8), (8, 8), (0, 0)), constant_values=255)
    # Frames are looked for in the small copy, where an edge may fall within a pixel.
    found = foreground_mask(framed, Fusion(work_size=216)).mask != 0
    truth = np.pad(disc, 8)
    assert not found[:6].any()
    assert (found & truth).sum() / (found | truth).sum() > 0.9


def _of_two(first: float, second: float) -> Fusion:
    weights = dict.fromkeys(("robust_background", "manifold_ranking", "geodesic"), 0.0)
    return Fusion(**weights, barrier=first, segments=second, cut_size=0, work_size=32)


def _give(monkeypatch, first, second):
    """Has a fusion add up these two maps."""
    maps = {"barrier": lambda rgb: first, "segments": lambda rgb: second}
    monkeypatch.setattr(fusion, "_OF_PIXELS", maps)


def test_agreement_is_one_for_equal_maps_and_low_for_strangers(monkeypatch):
    # Two maps of equal weight, a and b. Their correlation with a + b is 1 if a = b, and the root of
    # a half if they are uncorrelated and vary alike.
    rows, columns = np.mgrid[:32, :32] % 2
    both = _of_two(1.0, 1.0)
    for maps, expected in (([rows, rows], 1.0), ([rows, columns], np.sqrt(0.5))):
        _give(monkeypatch, *(values.astype(np.float32) for values in maps))
        _, agreement = both.saliency(np.zeros((32, 32, 3), np.uint8))
        assert agreement == pytest.approx(expected, abs=1e-6)


def test_maps_that_disagree_are_flagged(monkeypatch):
    # A map and its opposite, of nearly the same weight: one goes with the sum, one against it.
    rows = (np.mgrid[:32, :32][0] / 31).astype(np.float32)
    _give(monkeypatch, rows, 1 - rows)
    image, _ = photograph()
    result = _of_two(1.0, 0.9)(image[:32, :32])
    assert result.flag == "maps disagree"


def test_maps_of_no_weight_are_not_computed(monkeypatch):
    monkeypatch.setitem(fusion._OF_PIXELS, "barrier", None)  # calling it would fail
    image, _ = photograph()
    assert Fusion(barrier=0)(image).mask.any()


@pytest.mark.parametrize(
    "settings",
    [
        {"robust_background": -1.0},
        dict.fromkeys(
            ("robust_background", "manifold_ranking", "geodesic", "barrier", "segments"), 0.0
        ),
        {"center_sigma": 0.0},
        {"work_size": 8},
        {"cut_size": -1},
    ],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match="Expected w"):
        dataclasses.replace(Fusion(), **settings)


def test_objects_anywhere_need_no_center():
    image, _ = photograph()
    moved = np.roll(image, 55, axis=1)[:, 55:]
    assert Fusion(center_sigma=float("inf"))(moved).mask.any()


def test_only_pictures_cut_to_their_object_give_way_to_no_center():
    # Two equal squares, in the middle and at the rim: .33 of the width from the center, where a
    # Gaussian of sigma .5 has fallen to .81. Half of the saliency is that, the other half the mask,
    # which has both: a difference of .095 times what the maps say of the outer one.
    image = np.full((120, 160, 3), (70, 110, 70), np.uint8)
    image[40:80, 60:100] = image[40:80, 112:152] = (200, 60, 50)
    centered, anywhere = foreground_mask(image, "balanced"), foreground_mask(image, "cropped")
    assert centered.mask[60, 132] == anywhere.mask[60, 132] == 1
    assert anywhere.saliency[60, 132] > centered.saliency[60, 132] + 0.07
