import numpy as np
import pytest
from skimage.color import rgb2lab

from mask_generation.foreground import foreground_mask
from mask_generation.image.segments import graph_segments
from mask_generation.methods.felzenszwalb import FelzenszwalbSaliency, segment_saliency


def _square(height: int = 120, width: int = 160) -> np.ndarray:
    image = np.full((height, width, 3), 60, np.uint8)
    image[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = (220, 40, 40)
    return image


def test_saliency_of_two_segments_is_as_computed_by_hand():
    """A 20×20 square of lightness 50 in the middle of 40×40 black pixels.

    Both centres are the image's, so nearness and centrality are 1. Contrast: 50 times the other's
    share of the image, 1/4 for the ground and 3/4 for the square. Boundary connectivity: 0 for the
    square; 4·40 - 4 border pixels over the root of 1200 for the ground.
    """
    segments = np.zeros((40, 40), int)
    segments[10:30, 10:30] = 1
    lab = np.zeros((40, 40, 3))
    lab[segments == 1, 0] = 50
    ground = 50 / 4 * np.exp(-(156**2) / 1200 / 2)
    expected = [ground / (50 * 3 / 4), 1.0]
    np.testing.assert_allclose(segment_saliency(segments, lab), expected, rtol=1e-12)


def test_segment_off_the_center_is_less_salient():
    """Two squares of one color: all else is equal but for the place."""
    segments = np.zeros((60, 60), int)
    segments[25:35, 25:35] = 1
    segments[5:15, 5:15] = 2
    lab = np.zeros((60, 60, 3))
    lab[segments > 0, 0] = 50
    ground, middle, corner = segment_saliency(segments, lab)
    assert middle == 1.0
    assert ground < corner < middle


def test_one_segment_or_one_color_stands_out_from_nothing():
    assert segment_saliency(np.zeros((5, 5), int), np.ones((5, 5, 3))).tolist() == [0.0]
    halves = (np.arange(6) > 2)[None].repeat(4, axis=0).astype(int)
    assert segment_saliency(halves, np.ones((4, 6, 3))).tolist() == [0.0, 0.0]


def test_square_is_found_to_the_pixel():
    image = _square()
    np.testing.assert_array_equal(
        foreground_mask(image, "felzenszwalb").mask, (image[..., 0] == 220).astype(np.uint8)
    )


def test_maps_of_all_scales_and_spreads_are_averaged():
    """The mean of the two single maps, stretched to [0, 1]."""
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    image = image.repeat(10, axis=0).repeat(10, axis=1)
    singles = [FelzenszwalbSaliency((scale,), (0.5,)) for scale in (0.5, 4.0)]
    # A single map is stretched, too: what it was before has 1 as its largest value already.
    parts = [_unstretched(single, image) for single in singles]
    mean = parts[0] + parts[1]
    expected = (mean - mean.min()) / np.ptp(mean)
    got = FelzenszwalbSaliency((0.5, 4.0), (0.5,))(image)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def _unstretched(method: FelzenszwalbSaliency, image: np.ndarray) -> np.ndarray:
    segments = graph_segments(image, method.scales[0] * (60 + 80) / 8, method.sigmas[0], 24)
    return segment_saliency(segments, rgb2lab(image))[segments]


@pytest.mark.parametrize(
    "settings",
    [{"scales": ()}, {"scales": (0.0,)}, {"sigmas": ()}, {"sigmas": (-1.0,)}, {"min_share": 1.0}],
)
def test_settings_without_meaning_are_refused(settings):
    with pytest.raises(ValueError, match="Expected scales > 0, sigmas ≥ 0"):
        FelzenszwalbSaliency(**settings)
