"""The options of the pixel loss against the float64 reference.

Several regions, the gate of near cells, prototypes; the plain form is in test_pixel_contrast.py.
"""

import math

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import Prototypes, foreground_prototypes, pixel_contrast
from tests.losses.agreement import assert_agrees
from tests.reference import pixel_contrast_numpy as ref


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


def test_equal_features_agree_with_the_reference():
    _, labels, case = random_case(5)
    inputs = [np.ones((3, 5, 3)), 2 * np.ones((3, 6, 3)), 3 * np.ones((2, 3))]
    negative = np.array([[True, True], [True, False], [False, False]])
    assert_agrees_for(inputs, *labels, **case, negative=negative, regions=4)


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
