import cv2
import numpy as np
import pytest
from skimage import data

from mask_generation.cut.grabcut_energy import color_model, cut_graph
from mask_generation.cut.minimum_cut import minimum_cut

PAPER = 50.0  # weight of contrast in the paper and in OpenCV


def seeds(height: int, width: int) -> np.ndarray:
    """A sure middle, a sure rim, and the rest in question."""
    labels = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    labels[height // 5 : -height // 5, width // 5 : -width // 5] = cv2.GC_PR_FGD
    labels[2 * height // 5 : -2 * height // 5, 2 * width // 5 : -2 * width // 5] = cv2.GC_FGD
    labels[:3] = labels[-3:] = cv2.GC_BGD
    labels[:, :3] = labels[:, -3:] = cv2.GC_BGD
    return labels


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_cut_at_the_papers_weight_is_opencvs(name):
    image = cv2.resize(getattr(data, name)(), (160, 120), interpolation=cv2.INTER_AREA)
    labels = seeds(120, 160)
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    nowhere = (0, 0, 0, 0)
    cv2.setRNGSeed(0)
    learned = labels.copy()
    cv2.grabCut(image, learned, nowhere, background, foreground, 0, cv2.GC_INIT_WITH_MASK)
    models = color_model(foreground), color_model(background)
    theirs = labels.copy()
    cv2.grabCut(image, theirs, nowhere, background, foreground, 1, cv2.GC_EVAL_FREEZE_MODEL)
    ours = minimum_cut(*cut_graph(image, labels, *models, PAPER))
    in_question = labels >= 2
    # Ties of equal cost aside, which float32 and float64 may break in different ways.
    assert np.mean(ours[in_question] == (theirs & 1)[in_question]) > 0.999


def test_model_without_a_color_has_one_gaussian_less():
    model = np.zeros((1, 65))
    model[0, :2] = 0.75, 0.25
    model[0, 5:11] = 1, 2, 3, 4, 5, 6
    model[0, 20:38] = np.concatenate([4 * np.eye(3).ravel(), np.eye(3).ravel()])
    gaussians = color_model(model)
    np.testing.assert_allclose(gaussians.mean, [[1, 2, 3], [4, 5, 6]])
    # The covariance 4 I has determinant 64, whose root is 8.
    np.testing.assert_allclose(gaussians.log_weight, np.log([0.75 / 8, 0.25]))
    np.testing.assert_allclose(gaussians.precision, [np.eye(3) / 4, np.eye(3)])


def one_gaussian(color: int) -> np.ndarray:
    model = np.zeros((1, 65))
    model[0, 0] = 1.0
    model[0, 5:8] = color
    model[0, 20:29] = np.eye(3).ravel() * 100
    return model


def test_costs_of_two_pixels_by_hand():
    # Colours 10 and 14 in every channel; foreground around 10, background around 20, variance 100.
    image = np.array([[[10] * 3, [14] * 3]], np.uint8)
    labels = np.full((1, 2), cv2.GC_PR_FGD, np.uint8)
    models = color_model(one_gaussian(10)), color_model(one_gaussian(20))
    excess, capacity = cut_graph(image, labels, *models, 25.0)
    # Half the squared distance over the variance: 3 * 100 / 200 against 0; 3 * 36 / 200 against
    # 3 * 16 / 200.
    np.testing.assert_allclose(excess[1, 1:3], [1.5, 0.3], rtol=1e-6)
    # The only contrast is the mean contrast, so its scale leaves exp(-1/2).
    assert capacity[1, 1, 0] == capacity[1, 2, 1] == pytest.approx(25 * np.exp(-0.5))
    assert np.count_nonzero(capacity) == 2


@pytest.mark.parametrize(("sure", "sign"), [(cv2.GC_FGD, 1), (cv2.GC_BGD, -1)])
def test_sure_neighbor_pulls_to_its_side(sure, sign):
    image = np.full((1, 2, 3), 15, np.uint8)  # as far from either colour
    models = color_model(one_gaussian(10)), color_model(one_gaussian(20))
    labels = np.array([[cv2.GC_PR_BGD, sure]], np.uint8)
    excess, capacity = cut_graph(image, labels, *models, 25.0)
    # No contrast at all, so the tie has all of the weight.
    np.testing.assert_allclose(excess[1, 1:3], [sign * 25, 0.0], atol=1e-6)
    assert not capacity.any()
