import numpy as np
import pytest

from mask_generation.methods.region_contrast import region_contrast
from mask_generation.methods.robust_background import background_probability
from tests.mask_generation.methods.random_parts import random_parts


@pytest.mark.parametrize("seed", range(3))
def test_contrast_is_equation_seven_pair_by_pair(seed):
    parts = random_parts(seed)
    count = len(parts.area)
    expected = np.zeros(count)
    for a in range(count):
        for b in range(count):
            apart = np.linalg.norm(parts.center[a] - parts.center[b])
            color = np.linalg.norm(parts.color[a] - parts.color[b])
            expected[a] += np.exp(-apart / 0.4) * parts.area[b] / parts.area.sum() * color
    expected *= 1 - background_probability(parts)
    np.testing.assert_allclose(region_contrast(parts), expected, rtol=1e-9)


def test_rare_color_away_from_the_border_is_most_salient():
    parts = random_parts(0)
    parts.color[:] = 50.0, 0.0, 0.0
    parts.color[14] = 50.0, 60.0, 20.0  # third row, third column
    assert region_contrast(parts).argmax() == 14
