"""Closed-form checks of the NumPy reference; every expected number is derived by hand."""

import math

import numpy as np
import pytest

from tests.reference import hapicl_numpy as ref


def _labels(foreground: int, background: int) -> np.ndarray:
    """One image: ``foreground`` True cells, then ``background`` False ones, shape (1, N)."""
    return np.array([[True] * foreground + [False] * background])


def _equal(cells: int) -> np.ndarray:
    """One image whose cells all have the same raw vector (not of unit length)."""
    return np.tile(np.array([1.0, -2.0, 3.0]), (1, cells, 1))


def _split(labels: np.ndarray) -> np.ndarray:
    """Foreground cells are +v, background cells -v, v = (3, 4) raw."""
    return np.where(labels, 1.0, -1.0)[..., None] * np.array([3.0, 4.0])


def _ok(labels: np.ndarray) -> np.ndarray:
    return np.ones_like(labels, dtype=bool)


def test_cell_labels_row_major_means() -> None:
    """A 4x6 mask on a 2x3 grid has 2x2 cells.

    Ones at (0,0) (0,1) (1,0) (1,1): cell 0 is 4/4. (0,2) (1,3): cell 1 is 2/4, the tie is
    foreground. (2,4): cell (1,2), index 1*3+2 = 5, is 1/4. The rest is 0. With margin 0.25 only
    the 0.5 cell falls out, as |1/4 - 1/2| = 0.25 is still allowed; with 0.3 cell 5 goes too.
    """
    mask = np.zeros((1, 4, 6))
    for row, column in [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (1, 3), (2, 4)]:
        mask[0, row, column] = 1
    area, labels, ok = ref.cell_labels(mask, (2, 3))
    np.testing.assert_array_equal(area, [[1.0, 0.5, 0.0, 0.0, 0.0, 0.25]])
    np.testing.assert_array_equal(labels, [[True, True, False, False, False, False]])
    assert ok.all()
    _, _, ok = ref.cell_labels(mask, (2, 3), margin=0.25)
    np.testing.assert_array_equal(ok, [[True, False, True, True, True, True]])
    _, _, ok = ref.cell_labels(mask, (2, 3), margin=0.3)
    np.testing.assert_array_equal(ok, [[True, False, True, True, True, False]])
    assert area.dtype == np.float64
    assert labels.dtype == ok.dtype == np.bool_


def test_cell_labels_rejects_a_grid_that_does_not_divide() -> None:
    """5 rows cannot be cut into 2 equal ones."""
    with pytest.raises(ValueError, match="does not divide"):
        ref.cell_labels(np.zeros((1, 5, 4)), (2, 2))


@pytest.mark.parametrize(("f", "b"), [(1, 1), (3, 5), (7, 2)])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 1.0])
def test_equal_features(f: int, b: int, alpha: float) -> None:
    """All s_ij are the same s.

    A foreground anchor has l = log((f+b) e^s) - log(f e^s) = log((f+b)/f), a background one
    log((f+b)/b), whatever view 1 holds; both regions are present, so
    L = alpha log((f+b)/f) + (1-alpha) log((f+b)/b).
    """
    y1, y2 = _labels(2, 6), _labels(f, b)
    value, counted = ref.pixel_loss_one_way(
        _equal(8), _equal(f + b), y1, y2, _ok(y1), _ok(y2), foreground_weight=alpha
    )
    expected = alpha * math.log((f + b) / f) + (1 - alpha) * math.log((f + b) / b)
    np.testing.assert_allclose(value, [expected], rtol=1e-12)
    np.testing.assert_array_equal(counted, [True])


@pytest.mark.parametrize(("f", "b"), [(1, 1), (4, 5), (2, 9)])
@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_two_vector_split(f: int, b: int, alpha: float) -> None:
    """Foreground is +v, background -v, so s is +1/tau inside a region and -1/tau across.

    With tau = 0.2 a foreground anchor has l = log(f e^5 + b e^-5) - log(f e^5)
    = log(1 + (b/f) e^-10), a background one log(1 + (f/b) e^-10).
    """
    y1, y2 = _labels(3, 3), _labels(f, b)
    value, _ = ref.pixel_loss_one_way(
        _split(y1), _split(y2), y1, y2, _ok(y1), _ok(y2), foreground_weight=alpha
    )
    expected = alpha * math.log1p(b / f * math.exp(-10))
    expected += (1 - alpha) * math.log1p(f / b * math.exp(-10))
    np.testing.assert_allclose(value, [expected], rtol=1e-9)


def test_three_cells_by_hand() -> None:
    """One foreground anchor e1, keys e1 (f), e2 (f), -e1 (b), tau = 0.5: s = 2, 0, -2.

    l = log(e^2 + 1 + e^-2) - log(e^2 + 1). The anchor's view has no background cell, so the
    foreground weight is renormalised to 1.
    """
    u1 = np.array([[[2.0, 0.0]]])
    u2 = np.array([[[0.5, 0.0], [0.0, 9.0], [-1.0, 0.0]]])
    y1, y2 = _labels(1, 0), _labels(2, 1)
    value, _ = ref.pixel_loss_one_way(
        u1, u2, y1, y2, _ok(y1), _ok(y2), temperature=0.5, foreground_weight=0.3
    )
    expected = math.log((math.exp(2) + 1 + math.exp(-2)) / (math.exp(2) + 1))
    np.testing.assert_allclose(value, [expected], rtol=1e-12)


def test_zero_vectors_stay_finite() -> None:
    """Zero vectors normalise to 0 * 1e6 = 0, so every s_ij is 0: 1 f + 3 b cells give
    0.5 log(4/1) + 0.5 log(4/3).
    """
    y = _labels(1, 3)
    zeros = np.zeros((1, 4, 2))
    value, _ = ref.pixel_loss_one_way(zeros, zeros, y, y, _ok(y), _ok(y))
    np.testing.assert_allclose(value, [0.5 * math.log(4) + 0.5 * math.log(4 / 3)], rtol=1e-12)


def test_low_temperature_does_not_overflow() -> None:
    """Split with tau = 1e-3 and the anchors on the wrong side: s = -1000 in P, +1000 in Q.

    l = log(f e^-1000 + b e^1000) - log(f e^-1000) = 2000 + log(b/f) up to e^-2000;
    f = b gives 2000 for both regions.
    """
    y = _labels(2, 2)
    value, _ = ref.pixel_loss_one_way(-_split(y), _split(y), y, y, _ok(y), _ok(y), temperature=1e-3)
    np.testing.assert_allclose(value, [2000.0], rtol=1e-12)


def test_all_foreground_is_not_counted() -> None:
    """View 2 all foreground: Q is empty for f anchors, P for b ones; no anchor, 0."""
    y1, y2 = _labels(2, 2), _labels(4, 0)
    value, counted = ref.pixel_loss_one_way(_split(y1), _split(y2), y1, y2, _ok(y1), _ok(y2))
    np.testing.assert_array_equal(value, [0.0])
    np.testing.assert_array_equal(counted, [False])
    assert ref.pixel_loss(_equal(4), _equal(4), y2, y2, _ok(y2), _ok(y2)) == 0.0


def test_foreground_only_against_background_only() -> None:
    """P is empty for every anchor in both directions: 0, not log of 0."""
    y1, y2 = _labels(4, 0), _labels(0, 4)
    _, counted = ref.pixel_loss_one_way(_equal(4), _equal(4), y1, y2, _ok(y1), _ok(y2))
    np.testing.assert_array_equal(counted, [False])
    assert ref.pixel_loss(_equal(4), _equal(4), y1, y2, _ok(y1), _ok(y2)) == 0.0


@pytest.mark.parametrize(("alpha", "y1"), [(1.0, _labels(0, 4)), (0.0, _labels(4, 0))])
def test_no_weight_on_the_only_region_present(alpha: float, y1: np.ndarray) -> None:
    """All anchors are of the region of weight 0: the denominator is 0, defined as 0, uncounted."""
    y2 = _labels(2, 2)
    value, counted = ref.pixel_loss_one_way(
        _equal(4), _equal(4), y1, y2, _ok(y1), _ok(y2), foreground_weight=alpha
    )
    np.testing.assert_array_equal(value, [0.0])
    np.testing.assert_array_equal(counted, [False])


def test_weights_are_renormalized_over_the_regions_present() -> None:
    """View 1 is background only, view 2 has f=1, b=3: L = 0.25 log(4/3) / 0.25 = log(4/3)."""
    y1, y2 = _labels(0, 4), _labels(1, 3)
    value, counted = ref.pixel_loss_one_way(
        _equal(4), _equal(4), y1, y2, _ok(y1), _ok(y2), foreground_weight=0.75
    )
    np.testing.assert_allclose(value, [math.log(4 / 3)], rtol=1e-12)
    np.testing.assert_array_equal(counted, [True])


def test_ignored_cells_leave_anchors_and_both_sets() -> None:
    """Equal features, view 2 has f=2, b=4; ignoring one f and one b cell leaves f=1, b=3.

    f anchors: log(4/1); the b anchors of view 1 are all ignored, so L = log 4.
    """
    y1, y2 = _labels(3, 3), _labels(2, 4)
    ok1 = np.array([[True, True, False, False, False, False]])
    ok2 = np.array([[True, False, True, True, True, False]])
    value, _ = ref.pixel_loss_one_way(_equal(6), _equal(6), y1, y2, ok1, ok2)
    np.testing.assert_allclose(value, [math.log(4)], rtol=1e-12)


def test_pixel_loss_counts_images_per_direction() -> None:
    """Two images, equal features, four cells, alpha 0.5.

    Image 0: view 1 has f=2, b=2, view 2 f=1, b=3.
      1->2: (log 4 + log(4/3)) / 2; 2->1: (log 2 + log 2) / 2 = log 2.
    Image 1: view 1 has f=4, b=0, view 2 f=1, b=3.
      1->2: only f anchors, log 4; 2->1: no opposite (f) or no same (b) cell, not counted.
    L(1->2) = ((log 4 + log(4/3)) / 2 + log 4) / 2, L(2->1) = log 2 / 1.
    """
    y1 = np.concatenate([_labels(2, 2), _labels(4, 0)])
    y2 = np.concatenate([_labels(1, 3), _labels(1, 3)])
    u = np.concatenate([_equal(4), _equal(4)])
    first = ((math.log(4) + math.log(4 / 3)) / 2 + math.log(4)) / 2
    second = math.log(2)
    _, counted = ref.pixel_loss_one_way(u, u, y2, y1, _ok(y2), _ok(y1))
    np.testing.assert_array_equal(counted, [True, False])
    loss = ref.pixel_loss(u, u, y1, y2, _ok(y1), _ok(y2))
    assert loss == pytest.approx((first + second) / 2, rel=1e-12)
    assert ref.pixel_loss(u, u, y2, y1, _ok(y2), _ok(y1)) == pytest.approx(loss, rel=1e-12)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_nt_xent_equal_embeddings(batch: int) -> None:
    """2B-1 equal logits s: log((2B-1) e^s) - s = log(2B-1)."""
    z = np.tile(np.array([3.0, -1.0]), (batch, 1))
    assert ref.nt_xent(z, 2 * z) == pytest.approx(math.log(2 * batch - 1), abs=1e-12)


def test_nt_xent_single_pair_is_zero() -> None:
    """B = 1: the partner is the only other row, log e^s - s = 0 for any embeddings."""
    assert ref.nt_xent([[1.0, 2.0]], [[-3.0, 0.5]]) == pytest.approx(0.0, abs=1e-12)


def test_nt_xent_orthogonal_pairs() -> None:
    """Image b has e_b in both views, B = 3, tau = 0.2.

    Partner 5, the other 2B-2 = 4 rows 0: l = log(e^5 + 4) - 5 = log(1 + 4 e^-5).
    """
    z = np.eye(3)
    assert ref.nt_xent(z, 7 * z) == pytest.approx(math.log1p(4 * math.exp(-5)), rel=1e-12)


def test_nt_xent_views_out_of_order() -> None:
    """B = 2, view 2 swapped: the partner has s = 0, one other row 5, one 0.

    l = log(e^5 + 2) - 0 for each of the four rows.
    """
    z = np.eye(2)
    assert ref.nt_xent(z, z[::-1]) == pytest.approx(math.log(math.exp(5) + 2), rel=1e-12)


def test_numeric_gradient_of_a_cubic() -> None:
    """F = sum_k c_k x_k^3 has the gradient 3 c_k x_k^2; the argument is left alone."""
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    before = x.copy()
    c = np.array([[1.0, 2.0], [-4.0, 0.5]])
    gradient = ref.numeric_gradient(lambda value: float(np.sum(c * value**3)), x)
    np.testing.assert_allclose(gradient, [[3.0, 24.0], [-3.0, 13.5]], rtol=1e-7)
    np.testing.assert_array_equal(x, before)


def test_numeric_gradient_of_the_pixel_loss() -> None:
    """One f anchor (cos t, sin t), keys e1 (f) and e2 (b): with c = 1/tau = 5,

    l = log(1 + e^{c (sin t - cos t)}), so dl/dt = sigmoid(c (sin t - cos t)) c (cos t + sin t).
    At unit length the gradient in u is dl/dt * (-sin t, cos t): nothing along u, as the raw
    vector's length does not matter.
    """
    t = 0.3
    u1 = np.array([[[math.cos(t), math.sin(t)]]])
    u2 = np.array([[[1.0, 0.0], [0.0, 1.0]]])
    y1, y2 = _labels(1, 0), _labels(1, 1)

    def loss(value: np.ndarray) -> float:
        return float(ref.pixel_loss_one_way(value, u2, y1, y2, _ok(y1), _ok(y2))[0][0])

    gap = 5 * (math.sin(t) - math.cos(t))
    slope = 5 * (math.cos(t) + math.sin(t)) / (1 + math.exp(-gap))
    expected = slope * np.array([[[-math.sin(t), math.cos(t)]]])
    np.testing.assert_allclose(ref.numeric_gradient(loss, u1), expected, rtol=1e-6, atol=1e-9)
