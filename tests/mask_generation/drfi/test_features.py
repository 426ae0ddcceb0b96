import numpy as np
import pytest

from mask_generation.drfi.features import NAMES, describe
from mask_generation.drfi.pixels import WORD_BINS, measure, segment


def _quarters() -> tuple[np.ndarray, np.ndarray]:
    """A 40×40 image of a red square of 20×20 in the middle of black, and its two regions."""
    ids = np.zeros((40, 40), np.int32)
    ids[10:30, 10:30] = 1
    rgb = np.zeros((40, 40, 3), np.uint8)
    rgb[ids == 1] = (255, 0, 0)
    return rgb, ids


@pytest.fixture(scope="module")
def described() -> dict[str, np.ndarray]:
    rgb, ids = _quarters()
    (features,) = describe(measure(rgb), [ids])
    return dict(zip(NAMES, features.T, strict=True))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("contrast of red", [1.0, 1.0]),  # the only other region is all red, or not at all
        ("contrast of green", [0.0, 0.0]),
        ("contrast of saturation", [1.0, 1.0]),
        ("contrast of saturation histogram", [1.0, 1.0]),  # no bin in common
        ("contrast of Lab histogram", [1.0, 1.0]),
        ("backgroundness of red", [0.0, 1.0]),  # the border is black
        ("backgroundness of Lab histogram", [0.0, 1.0]),
        ("variance of red", [0.0, 0.0]),
        ("row", [0.5, 0.5]),  # both are symmetric
        ("column", [0.5, 0.5]),
        ("area", [0.75, 0.25]),
        ("neighbours' area", [0.25, 0.75]),
        ("aspect", [0.5, 0.5]),
        ("perimeter", [(160 + 80) / 160, 80 / 160]),  # 4·40 outside, 4·20 between the two
        ("boundary connectivity", [160 / np.sqrt(1200), 0.0]),
        # The square's 400 pixels lie in rows 10 to 29, 20 a row: pixel 39, after a tenth of the
        # other 399, is in row 11, and pixel 360 in row 28, which ends at 29.
        ("first row", [None, 11 / 40]),
        ("last row", [None, 29 / 40]),
        ("first column", [None, 11 / 40]),
        ("last column", [None, 29 / 40]),
    ],
)
def test_square_on_black_is_described_as_computed_by_hand(described, name, expected):
    for value, wanted in zip(described[name], expected, strict=True):
        if wanted is not None:
            assert value == pytest.approx(wanted, abs=1e-6)


def test_variance_is_that_of_numpy():
    """Of the pixels of a region, in [0, 1] colors; 1e-7 is float32."""
    rgb = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    ids = (np.arange(16) > 5)[None].repeat(12, axis=0).astype(np.int32)
    (features,) = describe(measure(rgb), [ids])
    red = features[:, NAMES.index("variance of red")]
    expected = [(rgb[ids == index, 0] / 255).var() for index in (0, 1)]
    np.testing.assert_allclose(red, expected, atol=1e-6)


def test_nearer_regions_count_more_for_the_contrast():
    """Left black, middle grey, right white: the middle is between, the left nearer to it."""
    rgb = np.repeat(np.uint8([0, 100, 255]), 10)[None, :, None].repeat(30, 0).repeat(3, 2)
    ids = np.repeat(np.int32([0, 1, 2]), 10)[None].repeat(30, axis=0)
    (features,) = describe(measure(rgb), [ids])
    contrast = features[:, NAMES.index("contrast of red")]
    # Centres a third of a side apart; weights exp(-(1/3)²/(2·.4²)) and exp(-(2/3)²/(2·.4²)).
    near, far = np.exp(-np.array([1, 4]) / 9 / 0.32)
    expected = (near * 100 + far * 255) / (near + far) / 255
    assert contrast[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 60), (16, 16), (3, 200), (60, 80)])
@pytest.mark.parametrize("flat", [True, False])
def test_every_image_has_finite_features(size, flat):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    rgb = np.full_like(rgb, 200) if flat else rgb
    levels = segment(rgb, (50, 400))
    for ids, features in zip(levels, describe(measure(rgb), levels), strict=True):
        assert np.unique(ids).tolist() == list(range(len(features)))
        assert features.shape[1] == len(NAMES)
        assert np.isfinite(features).all()


def test_words_stay_within_their_histograms():
    """Also at the ends of every range: white, black, pure colors."""
    ends = np.stack(np.meshgrid([0, 255], [0, 128, 255], [0, 255]), axis=-1).reshape(2, -1, 3)
    words = measure(np.kron(ends, np.ones((6, 6, 1))).astype(np.uint8)).words
    assert (words.reshape(-1, len(WORD_BINS)).max(axis=0) < WORD_BINS).all()


def test_coarser_scales_have_fewer_regions():
    rgb = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    levels = segment(rgb.repeat(10, 0).repeat(10, 1), (20, 5000))
    assert len(np.unique(levels[0])) > len(np.unique(levels[1]))
