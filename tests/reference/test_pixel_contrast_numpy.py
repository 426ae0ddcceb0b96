"""Closed-form checks of the reference of the pixel loss with all its options.

With equal features every logit is the same, so an anchor with p positives and n negatives costs
log((p + n) / p): the expected numbers count cells.
"""

import math

import numpy as np
import pytest

from tests.reference import hapicl_numpy
from tests.reference import pixel_contrast_numpy as ref


def equal(cells):
    """One image whose cells all have the same raw vector (not of unit length)."""
    return np.tile(np.array([1.0, -2.0, 3.0]), (1, cells, 1))


def one_image(y1, y2, **settings):
    """One image of equal features."""
    loss, counted = ref.pixel_contrast(equal(len(y1)), equal(len(y2)), [y1], [y2], **settings)
    return float(loss[0]), bool(counted[0])


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_two_regions_are_the_plain_form(alpha):
    """With ids 0 and 1 and no options both references say the same; they share no code."""
    random = np.random.default_rng(0)
    u, v = random.normal(size=(2, 6, 5, 3))
    y1, y2 = random.integers(0, 2, (2, 6, 5))
    ok1, ok2 = random.random((2, 6, 5)) < 0.8
    loss, counted = ref.pixel_contrast(u, v, y1, y2, ok1, ok2, 0.2, alpha)
    plain = hapicl_numpy.pixel_loss_one_way(u, v, y1, y2, ok1, ok2, 0.2, alpha)
    np.testing.assert_allclose(loss, plain[0], rtol=1e-12)
    np.testing.assert_array_equal(counted, plain[1])


def test_four_regions_share_the_foreground_weight():
    """Keys: 4 of region 0, 3 of 1, 2 of 2, 1 of 3, ten in all.

    Background log(10/4); regions 1, 2, 3 log(10/3), log(10/2), log(10/1), each with 0.6 / 3 = 0.2.
    """
    keys = [0] * 4 + [1] * 3 + [2] * 2 + [3]
    expected = 0.4 * math.log(2.5)
    expected += 0.2 * (math.log(10 / 3) + math.log(5) + math.log(10))
    loss, counted = one_image([0, 1, 2, 3], keys, foreground_weight=0.6)
    assert loss == pytest.approx(expected, rel=1e-12)
    assert counted


def test_regions_without_counted_anchors_leave_the_weights():
    """Region 2 is not in view 2 and region 3 not in view 1: only 0 and 1 share the weight.

    Of five keys two are background, two region 1, one region 3: log(5/2) both.
    """
    loss, counted = one_image([0, 1, 2, 2], [0, 0, 1, 1, 3], foreground_weight=0.9)
    assert loss == pytest.approx(math.log(2.5), rel=1e-12)
    assert counted


def test_many_anchors_of_one_region_weigh_as_much_as_one():
    """Regions average first: three anchors of region 1 and one of region 2, keys 1, 2, 2.

    log(3/1) and log(3/2), each with 0.5 / 2, renormalised as no background counts.
    """
    loss, _ = one_image([1, 1, 1, 2], [1, 2, 2])
    assert loss == pytest.approx((math.log(3) + math.log(1.5)) / 2, rel=1e-12)


def test_near_takes_far_cells_of_the_same_region_out():
    """One foreground anchor, keys 1, 1, 1, 0, 0; near are the first key and the last.

    One positive is left, the two far ones are gone, both negatives stay: log(3/1).
    """
    near = [[[True, False, False, False, True]]]
    loss, counted = one_image([1], [1, 1, 1, 0, 0], near=near)
    assert loss == pytest.approx(math.log(3), rel=1e-12)
    assert counted


def test_near_nothing_counts_nothing():
    """No positive is near."""
    assert one_image([1, 0], [1, 0], near=np.full((1, 2, 2), False)) == (0.0, False)


def test_prototypes_join_the_foreground_only():
    """Keys 1, 0, 0 and two of three prototypes, all equal.

    The foreground anchor has one positive and 2 + 2 negatives, log 5; the background one two
    positives and one negative, log(3/2).
    """
    settings = {"prototypes": equal(3)[0], "prototype_is_negative": [[True, False, True]]}
    loss, _ = one_image([1, 0], [1, 0, 0], foreground_weight=1.0, **settings)
    assert loss == pytest.approx(math.log(5), rel=1e-12)
    loss, _ = one_image([1, 0], [1, 0, 0], foreground_weight=0.0, **settings)
    assert loss == pytest.approx(math.log(1.5), rel=1e-12)


def test_prototype_may_be_the_only_negative():
    """Both views are all foreground: log((2 + 1) / 2) with a prototype, not counted without.

    All-background views stay uncounted.
    """
    settings = {"prototypes": equal(1)[0], "prototype_is_negative": [[True]]}
    loss, counted = one_image([1, 1], [1, 1], **settings)
    assert loss == pytest.approx(math.log(1.5), rel=1e-12)
    assert counted
    assert one_image([1, 1], [1, 1]) == (0.0, False)
    assert one_image([0, 0], [0, 0], **settings) == (0.0, False)


def test_prototypes_are_normalized():
    """At τ = 0.5 the key is at 2 and the prototype, opposite and long, at -2: log(1 + e^-4)."""
    loss, _ = ref.pixel_contrast(
        [[[1.0, 0.0]]],
        [[[3.0, 0.0]]],
        [[1]],
        [[1]],
        temperature=0.5,
        prototypes=[[-9.0, 0.0]],
        prototype_is_negative=[[True]],
    )
    np.testing.assert_allclose(loss, [math.log1p(math.exp(-4))], rtol=1e-12)


def test_foreground_weight_zero_or_one_leaves_an_image_of_one_region_out():
    assert one_image([0], [0, 1], foreground_weight=1.0) == (0.0, False)
    assert one_image([2], [0, 2], foreground_weight=0.0) == (0.0, False)
    assert one_image([2], [0, 2], foreground_weight=1.0)[1]


def test_no_valid_cell_counts_nothing():
    assert one_image([1, 0], [1, 0], query_valid=[[False] * 2]) == (0.0, False)
    assert one_image([1, 0], [1, 0], key_valid=[[False] * 2]) == (0.0, False)


def test_foreground_prototypes_by_hand():
    """Image 0: of (3, 0) and (0, 4) the unit vectors' mean (0.5, 0.5) has the direction (1, 1).

    The third cell is background, the fourth invalid. Image 1 has no foreground, image 2 one cell.
    """
    keys = np.zeros((3, 4, 2))
    keys[0] = [[3, 0], [0, 4], [-9, 0], [-9, 0]]
    keys[1] = 1.0
    keys[2] = [[0, -2], [1, 1], [1, 1], [1, 1]]
    regions = [[1, 2, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]]
    valid = [[True, True, True, False], [True] * 4, [True] * 4]
    vectors, present, negative = ref.foreground_prototypes(keys, regions, valid)
    half = math.sqrt(0.5)
    np.testing.assert_allclose(vectors, [[half, half], [0, 0], [0, -1]], atol=1e-15)
    np.testing.assert_array_equal(present, [True, False, True])
    np.testing.assert_array_equal(
        negative, [[False, False, True], [True, False, True], [True, False, False]]
    )


def test_per_image_equal_features():
    """Two of three keys share the one anchor's region, every term is e^5."""
    loss = ref.pixel_contrast_per_image(equal(1), equal(3), [[1]], [[1, 1, 0]])
    e = math.exp(5)
    np.testing.assert_allclose(loss, [math.log((3 * e + 2) / (2 * e + 1))], rtol=1e-12)


def test_per_image_orthogonal_cells():
    """Cells e1, e2 in either view, one region each, τ = 1: P = 2e, Q = 2."""
    u = np.eye(2)[None]
    loss = ref.pixel_contrast_per_image(u, 3 * u, [[1, 0]], [[1, 0]], temperature=1.0)
    expected = math.log((2 * math.e + 4) / (2 * math.e + 1))
    np.testing.assert_allclose(loss, [expected], rtol=1e-12)


def test_per_image_without_a_pair_of_one_region():
    """P = 0, Q = e^5: log(e^5 + 2)."""
    loss = ref.pixel_contrast_per_image(equal(1), equal(1), [[1]], [[0]])
    np.testing.assert_allclose(loss, [math.log(math.exp(5) + 2)], rtol=1e-12)


def test_per_batch_denominator_is_shared():
    """Two images of 2 x 2 equal cells at τ = 1: eight terms e in all.

    Image 0 is all foreground (P = 4e), image 1 has P = 2e.
    """
    u = np.concatenate([equal(2), equal(2)])
    regions = [[1, 1], [1, 0]]
    loss = ref.pixel_contrast_per_batch(u, u, regions, regions, temperature=1.0)
    e = math.e
    expected = [math.log(8 * e / (4 * e + 1e-5)), math.log(8 * e / (2 * e + 1e-5))]
    np.testing.assert_allclose(loss, expected, rtol=1e-12)
