"""What holds for every saliency map; what each is to find is beside this file."""

import numpy as np
import pytest

from mask_generation.methods.barrier import barrier_saliency
from mask_generation.methods.felzenszwalb import FelzenszwalbSaliency
from mask_generation.methods.geodesic import geodesic_saliency
from mask_generation.methods.manifold_ranking import manifold_ranking_saliency
from mask_generation.methods.region_contrast import region_contrast_saliency
from mask_generation.methods.robust_background import robust_background_saliency

every_map = pytest.mark.parametrize(
    "saliency_of",
    [
        barrier_saliency,
        FelzenszwalbSaliency(),
        geodesic_saliency,
        manifold_ranking_saliency,
        region_contrast_saliency,
        robust_background_saliency,
    ],
)
every_size = pytest.mark.parametrize("size", [(1, 1), (1, 60), (3, 3), (25, 200), (120, 160)])


@every_map
@every_size
def test_map_has_the_right_form_and_leaves_the_image_as_it_is(saliency_of, size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    before = image.copy()
    image.flags.writeable = False
    saliency = saliency_of(image)
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert 0 <= saliency.min() <= saliency.max() <= 1
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(saliency_of(before), saliency)


@every_map
@every_size
def test_image_of_one_color_has_no_saliency(saliency_of, size):
    assert not saliency_of(np.full((*size, 3), 77, np.uint8)).any()
