"""Sharpened models against the formula of a Gaussian mixture, in float64."""

import cv2
import numpy as np
import pytest

from mask_generation.cut.color_models import of_equal_scale, sharpened


def learned(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Background and foreground of an image of two noisy colors, as OpenCV learns them."""
    random = np.random.default_rng(seed)
    image = random.integers(0, 90, (40, 40, 3), dtype=np.uint8)
    labels = np.full((40, 40), cv2.GC_PR_BGD, np.uint8)
    image[10:30, 10:30] += 120
    labels[10:30, 10:30] = cv2.GC_PR_FGD
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    box = (0, 0, 0, 0)
    cv2.grabCut(image, labels, box, background, foreground, 0, cv2.GC_INIT_WITH_MASK)
    return background, foreground


def cost(model: np.ndarray, colors: np.ndarray, factor: float = 1.0) -> np.ndarray:
    """-log Σ (w N(color))^factor, without the constants that no choice depends on."""
    weight, mean, covariance = model[0, :5], model[0, 5:20].reshape(5, 3), model[0, 20:]
    powers = []
    for w, m, c in zip(weight, mean, covariance.reshape(5, 3, 3), strict=True):
        distance = np.einsum("ni,ij,nj->n", colors - m, np.linalg.inv(c), colors - m)
        powers.append((w / np.sqrt(np.linalg.det(c)) * np.exp(-distance / 2)) ** factor)
    return -np.log(np.sum(powers, axis=0))


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_each_gaussian_is_raised_to_the_power(factor):
    """Up to one constant: the same for both models and all colors near them."""
    colors = np.random.default_rng(1).uniform(40, 160, (50, 3))
    differences = [
        cost(sharpened(model, factor), colors) - cost(model, colors, factor)
        for model in learned(seed=0)
    ]
    np.testing.assert_allclose(np.ptp(differences), 0, atol=1e-9)


def test_scale_is_common_to_both():
    """The difference of the costs, by which a color is judged, stays."""
    first, second = (sharpened(model, 4.0) for model in learned(seed=0))
    colors = np.random.default_rng(1).uniform(40, 160, (50, 3))
    before = cost(first, colors) - cost(second, colors)
    scaled = of_equal_scale(first, second)
    after = cost(scaled[0], colors) - cost(scaled[1], colors)
    np.testing.assert_allclose(after, before, atol=1e-9)
    assert max(model[0, :5].max() for model in scaled) == 1.0


def test_gaussians_without_weight_stay_so():
    model = np.zeros((1, 65))
    model[0, 0], model[0, 20:29] = 0.5, np.eye(3).ravel()
    assert np.count_nonzero(sharpened(model, 2.0)[0, :5]) == 1
