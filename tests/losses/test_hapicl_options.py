"""The pixel loss and its options against the float64 reference, and the options by hand.

Several regions, the gate of near cells, prototypes; the plain form by hand is in test_hapicl.py.
With equal features every logit is the same, so an anchor with p positives and n negatives costs
log((p + n) / p): the numbers by hand count cells.
"""

import math

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import Prototypes, foreground_prototypes, pixel_contrast
from tests.losses.agreement import assert_agrees
from tests.reference import hapicl_numpy as ref


def as_tensor(array):
    return None if array is None else tf.constant(array)


def assert_agrees_for(
    inputs,
    y1,
    y2,
    ok1=None,
    ok2=None,
    near=None,
    negative=None,
    regions=2,
    temperature=0.2,
    foreground_weight=0.5,
):
    """Compares losses, gradients and counted images; a third input is the prototypes."""
    y1, y2 = np.array(y1, np.int32), np.array(y2, np.int32)

    def results(queries, keys, *prototypes):
        return pixel_contrast(
            queries,
            keys,
            tf.constant(y1),
            tf.constant(y2),
            as_tensor(ok1),
            as_tensor(ok2),
            temperature,
            foreground_weight,
            regions,
            as_tensor(near),
            Prototypes(prototypes[0], tf.constant(negative)) if prototypes else None,
        )

    def reference(queries, keys, prototypes=None):
        return ref.pixel_contrast(
            queries,
            keys,
            y1,
            y2,
            ok1,
            ok2,
            temperature,
            foreground_weight,
            near,
            prototypes,
            negative,
        )

    assert_agrees(
        lambda *tensors: results(*tensors).values,
        lambda *arrays: reference(*arrays)[0],
        inputs,
        constants=[2],
    )
    counted = results(*map(tf.constant, inputs)).counted
    np.testing.assert_array_equal(counted, reference(*inputs)[1])
    return np.array(counted)


def one_image(y1, y2, near=None, prototypes=None, foreground_weight=0.5):
    """Loss of one image of equal features and whether it counts."""
    cells = [tf.fill((1, len(y), 2), tf.constant(1.0, tf.float64)) for y in (y1, y2)]
    result = pixel_contrast(
        *cells,
        tf.constant([y1]),
        tf.constant([y2]),
        foreground_weight=foreground_weight,
        regions=4,
        near=as_tensor(near),
        prototypes=prototypes,
    )
    return float(result.values[0]), bool(result.counted[0])


def equal_prototypes(*is_negative):
    """Prototypes that equal the features of ``one_image``."""
    vectors = tf.fill((len(is_negative), 2), tf.constant(3.0, tf.float64))
    return Prototypes(vectors, tf.constant([is_negative]))


def random_case(seed, batch=3, cells1=5, cells2=6, regions=4, prototypes=None):
    """Embeddings and labels; validity, gate and, if asked for, prototypes."""
    random = np.random.default_rng(seed)
    shapes = [(batch, cells1, 3), (batch, cells2, 3)]
    inputs = [random.normal(size=shape) for shape in shapes]
    labels = [random.integers(0, regions, shape[:2]) for shape in shapes]
    case = {
        "ok1": random.random((batch, cells1)) < 0.8,
        "ok2": random.random((batch, cells2)) < 0.8,
        "near": random.random((batch, cells1, cells2)) < 0.5,
    }
    if prototypes:
        inputs.append(random.normal(size=(prototypes, 3)))
        case["negative"] = random.random((batch, prototypes)) < 0.6
    return inputs, labels, case


@pytest.mark.parametrize("foreground_weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("regions", [2, 4])
def test_regions_agree_with_the_reference(regions, foreground_weight):
    inputs, labels, case = random_case(0, regions=regions)
    settings = {"regions": regions, "foreground_weight": foreground_weight}
    assert_agrees_for(inputs, *labels, case["ok1"], case["ok2"], **settings)


@pytest.mark.parametrize("regions", [2, 4])
def test_near_agrees_with_the_reference(regions):
    inputs, labels, case = random_case(1, regions=regions)
    assert_agrees_for(inputs, *labels, **case, regions=regions)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("seed", [2, 3])
def test_all_options_at_once_agree_with_the_reference(seed, temperature):
    inputs, labels, case = random_case(seed, prototypes=4)
    counted = assert_agrees_for(
        inputs, *labels, **case, regions=4, temperature=temperature, foreground_weight=0.7
    )
    assert counted.any()


def test_batch_of_one_agrees_with_the_reference():
    inputs, labels, case = random_case(4, batch=1, prototypes=2)
    assert_agrees_for(inputs, *labels, **case, regions=4)


def test_four_regions_share_the_foreground_weight():
    """Keys: 4 of region 0, 3 of 1, 2 of 2, 1 of 3, ten in all.

    Background log(10/4); regions 1, 2, 3 log(10/3), log(10/2), log(10/1), each with 0.6 / 3 = 0.2;
    the weight is a float32.
    """
    keys = [0] * 4 + [1] * 3 + [2] * 2 + [3]
    expected = 0.4 * math.log(2.5)
    expected += 0.2 * (math.log(10 / 3) + math.log(5) + math.log(10))
    loss, counted = one_image([0, 1, 2, 3], keys, foreground_weight=0.6)
    assert loss == pytest.approx(expected, rel=1e-7)
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

    log(3/1) and log(3/2), each with 0.5 / 2, renormalized as no background counts.
    """
    loss, _ = one_image([1, 1, 1, 2], [1, 2, 2])
    assert loss == pytest.approx((math.log(3) + math.log(1.5)) / 2, rel=1e-12)


def test_near_leaves_far_cells_of_the_same_region_out():
    """One foreground anchor, keys 1, 1, 1, 0, 0; near are the first key and the last.

    One positive remains, the two far ones are gone, both negatives stay: log(3/1).
    """
    near = np.array([[[True, False, False, False, True]]])
    loss, counted = one_image([1], [1, 1, 1, 0, 0], near)
    assert loss == pytest.approx(math.log(3), rel=1e-12)
    assert counted


def test_prototypes_are_negatives_of_the_foreground_only():
    """Keys 1, 0, 0 and two of three prototypes, all equal.

    The foreground anchor has one positive and 2 + 2 negatives, log 5; the background one two
    positives and one negative, log(3/2).
    """
    prototypes = equal_prototypes(True, False, True)
    for weight, expected in ((1.0, math.log(5)), (0.0, math.log(1.5))):
        loss, _ = one_image([1, 0], [1, 0, 0], None, prototypes, weight)
        assert loss == pytest.approx(expected, rel=1e-12)


def test_prototype_may_be_the_only_negative():
    """Both views are all foreground: log((2 + 1) / 2) with a prototype, not counted without.

    All-background views stay uncounted.
    """
    loss, counted = one_image([1, 1], [1, 1], prototypes=equal_prototypes(True))
    assert loss == pytest.approx(math.log(1.5), rel=1e-12)
    assert counted
    assert one_image([1, 1], [1, 1]) == (0.0, False)
    assert one_image([0, 0], [0, 0], prototypes=equal_prototypes(True)) == (0.0, False)


def test_region_of_one_view_agrees_with_the_reference():
    """Four regions: 3 is in view 1 only, 2 in view 2 only, and image 1 has a region each."""
    inputs = list(np.random.default_rng(6).normal(size=(2, 2, 4, 3)))
    y1, y2 = [[0, 1, 3, 3], [1, 1, 1, 1]], [[0, 1, 2, 2], [3, 3, 3, 3]]
    counted = assert_agrees_for(inputs, y1, y2, regions=4)
    assert counted.tolist() == [True, False]


def test_views_of_one_region_need_prototypes():
    """Images all of foreground, all of background, all of foreground without a negative prototype.

    Only the first has both a positive and a negative.
    """
    inputs = list(np.random.default_rng(7).normal(size=(2, 3, 2, 3)))
    y = [[1, 1], [0, 0], [1, 1]]
    assert not assert_agrees_for(inputs, y, y).any()
    inputs.append(np.random.default_rng(8).normal(size=(2, 3)))
    negative = np.array([[True, True], [True, True], [False, False]])
    counted = assert_agrees_for(inputs, y, y, negative=negative)
    assert counted.tolist() == [True, False, False]


def test_nothing_valid_or_near_agrees_with_the_reference():
    """Image 0 has no valid cell in view 1, image 1 none in view 2, image 2 no near pair."""
    inputs, labels, case = random_case(9, prototypes=2)
    case["ok1"][0], case["ok2"][1], case["near"][2] = False, False, False
    assert not assert_agrees_for(inputs, *labels, **case, regions=4).any()


@pytest.mark.parametrize("foreground_weight", [0.0, 1.0])
def test_weights_at_their_ends_agree_with_the_reference(foreground_weight):
    """An image of background anchors only, one of foreground anchors only, one of both."""
    inputs = list(np.random.default_rng(10).normal(size=(2, 3, 3, 3)))
    y1, y2 = [[0, 0, 0], [2, 1, 2], [0, 1, 2]], [[0, 1, 2]] * 3
    counted = assert_agrees_for(inputs, y1, y2, regions=3, foreground_weight=foreground_weight)
    assert counted.tolist() == [foreground_weight == 0.0, foreground_weight == 1.0, True]


def test_foreground_weight_may_be_a_tensor():
    """A schedule hands a tensor: four regions of equal features share it as a number does.

    Keys 0, 1, 2, 3: log 4 for every anchor, whatever the weights; with a second background key
    log(5/2) and log 5, weighted 0.25 and 0.75.
    """
    cells, y1 = tf.ones((1, 4, 2), tf.float64), tf.constant([[0, 1, 2, 3]])
    keys, y2 = tf.ones((1, 5, 2), tf.float64), tf.constant([[0, 0, 1, 2, 3]])
    result = pixel_contrast(cells, keys, y1, y2, foreground_weight=tf.constant(0.75), regions=4)
    expected = 0.25 * math.log(2.5) + 0.75 * math.log(5)
    np.testing.assert_allclose(result.values, [expected], rtol=1e-7)


def test_foreground_prototypes_by_hand():
    """Image 0: of (3, 0) and (0, 4) the unit vectors' mean (0.5, 0.5) has the direction (1, 1).

    The third cell is background, the fourth invalid. Image 1 has no foreground, image 2 one cell.
    """
    keys = np.ones((3, 4, 2))
    keys[0] = [[3, 0], [0, 4], [-9, 0], [-9, 0]]
    keys[2, 0] = [0, -2]
    regions = tf.constant([[1, 2, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]])
    valid = tf.constant([[True, True, True, False], [True] * 4, [True] * 4])
    prototypes = foreground_prototypes(tf.constant(keys), regions, valid)
    half = math.sqrt(0.5)
    np.testing.assert_allclose(prototypes.vectors, [[half, half], [0, 0], [0, -1]], atol=1e-12)
    expected = [[False, False, True], [True, False, True], [True, False, False]]
    assert prototypes.is_negative.numpy().tolist() == expected


@pytest.mark.parametrize("valid", [False, True])
def test_foreground_prototypes_agree_with_the_reference(valid):
    """Image 1 has no foreground at all; no gradient flows into the keys."""
    random = np.random.default_rng(11)
    keys, regions = random.normal(size=(4, 5, 3)), random.integers(0, 4, (4, 5))
    regions[1] = 0
    ok = random.random((4, 5)) < 0.6 if valid else None
    keys_tensor = tf.constant(keys)
    with tf.GradientTape() as tape:
        tape.watch(keys_tensor)
        prototypes = foreground_prototypes(keys_tensor, tf.constant(regions), as_tensor(ok))
    vectors, present, negative = ref.foreground_prototypes(keys, regions, ok)
    assert not present[1]
    np.testing.assert_allclose(prototypes.vectors, vectors, atol=1e-12)
    np.testing.assert_array_equal(prototypes.is_negative, negative)
    assert tape.gradient(prototypes.vectors, keys_tensor) is None


def test_foreground_prototypes_of_all_replicas(two_replicas):
    """Two images on each of two replicas: the prototypes of four, and each image's own is none."""
    random = np.random.default_rng(12)
    keys, regions = random.normal(size=(4, 3, 2)), np.array([[0, 1, 1], [0, 0, 0], [2, 1, 0]] * 2)
    regions = regions[:4].astype(np.int32)

    def rows_of(array):
        return two_replicas.experimental_distribute_values_from_function(
            lambda context: tf.constant(np.split(array, 2)[context.replica_id_in_sync_group])
        )

    prototypes = two_replicas.run(
        tf.function(foreground_prototypes), args=(rows_of(keys), rows_of(regions))
    )
    vectors, _, negative = ref.foreground_prototypes(keys, regions)
    for copy in two_replicas.experimental_local_results(prototypes.vectors):
        np.testing.assert_allclose(copy, vectors, atol=1e-12)
    rows = two_replicas.experimental_local_results(prototypes.is_negative)
    np.testing.assert_array_equal(np.concatenate(rows), negative)
