"""Closed-form checks of the reference of DetCon-B's loss."""

import math

import numpy as np
import pytest

from tests.reference import region_contrast_numpy as ref


def equal(batch, regions):
    return np.ones((batch, regions, 3))


def loss_of_equal_vectors(ids1, ids2):
    """The loss when every logit is the same: only counts matter."""
    u = equal(*np.shape(ids1))
    return ref.region_contrast(u, 2 * u, 3 * u, 4 * u, ids1, ids2)


@pytest.mark.parametrize(("batch", "regions"), [(1, 1), (1, 3), (4, 2)])
def test_equal_vectors_distinct_regions(batch, regions):
    """An anchor sees all B M targets of the other view and all but its own of its view.

    log(2 B M - 1) per anchor and direction; 0 for a single region of a single image.
    """
    ids = np.tile(np.arange(regions), (batch, 1))
    expected = 2 * math.log(2 * batch * regions - 1)
    np.testing.assert_allclose(loss_of_equal_vectors(ids, ids), [expected] * batch, atol=1e-12)


def test_equal_vectors_repeated_regions():
    """Two images, M = 4, so 8 targets per view; image 0 has the ids 0 0 0 5 and 0 0 5 5.

    View 1: region 0 thrice, 8 + 8 - 3 = 13 candidates, weight 1/3 each, together log 13; region 5
    once, log 15. View 2: both regions twice, 8 + 8 - 2 = 14, together log 14 each. Divided by M.
    Image 1 has four regions in order in view 1 and reversed in view 2: log 15 for every anchor.
    """
    ids1 = [[0, 0, 0, 5], [0, 1, 2, 3]]
    ids2 = [[0, 0, 5, 5], [3, 2, 1, 0]]
    first = (math.log(13) + math.log(15) + 2 * math.log(14)) / 4
    np.testing.assert_allclose(
        loss_of_equal_vectors(ids1, ids2), [first, 2 * math.log(15)], rtol=1e-12
    )


def test_region_that_the_other_view_lacks_weighs_nothing():
    """Ids 0 1 and 0 0, one image: in view 1 anchor 0 has 2 + 1 candidates, anchor 1 no positive.

    log 3 / 2. In view 2 either anchor has 2 + 0 candidates (both of its view are its own region)
    and the weight 1/2: together log 2, over M = 2.
    """
    expected = (math.log(3) + math.log(2)) / 2
    np.testing.assert_allclose(loss_of_equal_vectors([[0, 1]], [[0, 0]]), [expected], rtol=1e-12)


def test_no_common_region_is_zero():
    np.testing.assert_array_equal(loss_of_equal_vectors([[0, 1]], [[2, 3]]), [0.0])


def test_same_id_in_another_image_is_a_negative():
    """Image b's only region points to e_b in all four; ids are equal, τ = 1, B = 2.

    The positive is at 1; the other image's two targets are at 0: log(e + 2) - 1 per direction.
    """
    u = np.eye(2)[:, None, :]
    losses = ref.region_contrast(u, u, u, u, [[7], [7]], [[7], [7]], temperature=1.0)
    np.testing.assert_allclose(losses, [2 * (math.log(math.e + 2) - 1)] * 2, rtol=1e-12)


def test_several_positives_average_their_cross_entropies():
    """One anchor e1 of region 0 twice in view 2, at 1 and 0, τ = 1.

    View 1 has two anchors e1 of region 0 and no other candidates of its own: each costs
    log(e + 1) - (1 + 0) / 2, weight 1/2, M = 2, so half of it in all. In view 2 both anchors are
    zero vectors: two positives at 0 and nothing else, log 2 each, half of it in all.
    """
    predictions1 = [[[1.0, 0.0], [1.0, 0.0]]]
    targets2 = [[[2.0, 0.0], [0.0, 2.0]]]
    zeros = np.zeros((1, 2, 2))
    ids = [[0, 0]]
    losses = ref.region_contrast(predictions1, zeros, zeros, targets2, ids, ids, temperature=1.0)
    expected = (math.log(math.e + 1) - 0.5) / 2 + math.log(2) / 2
    np.testing.assert_allclose(losses, [expected], rtol=1e-12)
