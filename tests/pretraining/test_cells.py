"""Cells drawn from each region."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf import distribution
from harl_tf.losses import cell_labels
from harl_tf.pretraining.cells import all_cells, sample_cells, take, take_pairs
from harl_tf.pretraining.noise import example_noise


def labels_of(masks, margin=0.0, regions=2):
    """One pixel per cell."""
    masks = np.asarray(masks)
    return cell_labels(tf.constant(masks), masks.shape[1:], margin, regions)


def seeds_of(count):
    return np.random.default_rng(5).integers(-(2**31), 2**31, (count, 2)).astype("int32")


def test_each_region_gives_its_cells_once():
    masks = np.random.default_rng(0).integers(0, 3, (50, 4, 5))
    drawn = sample_cells(labels_of(masks, regions=3), 6, example_noise(seeds_of(50), 20))
    assert drawn.regions.shape == (50, 18)
    for b, mask in enumerate(masks.reshape(50, 20)):
        for region in range(3):
            slots = slice(6 * region, 6 * region + 6)
            assert (drawn.regions[b, slots].numpy() == region).all()
            places = drawn.places[b, slots].numpy()[drawn.valid[b, slots].numpy()]
            assert (mask[places] == region).all()
            assert len(set(places)) == len(places) == min(6, np.sum(mask == region))


def test_every_cell_of_a_region_is_as_likely():
    """Four of ten foreground cells, 2000 images: each 800 times, σ = √(2000·0.4·0.6) = 22."""
    mask = np.zeros((4, 5), int)
    mask[1:3] = 1
    masks = np.tile(mask, (2000, 1, 1))
    drawn = sample_cells(labels_of(masks), 4, example_noise(seeds_of(2000), 20))
    assert bool(tf.reduce_all(drawn.valid))
    counts = np.bincount(drawn.places[:, 4:].numpy().ravel(), minlength=20).reshape(4, 5)
    assert (counts[mask == 0] == 0).all()
    assert np.abs(counts[mask == 1] - 800).max() < 5 * 22
    # Pairs as well: 2000 · (4·3)/(10·9) = 267 each, σ = 15.
    chosen = np.zeros((2000, 20))
    np.put_along_axis(chosen, drawn.places[:, 4:].numpy(), 1.0, axis=1)
    together = (chosen.T @ chosen)[5:15, 5:15][np.triu_indices(10, 1)]
    assert np.abs(together - 267).max() < 5 * 15


def test_a_region_with_fewer_cells_leaves_slots_empty():
    drawn = sample_cells(labels_of([[[1, 0, 0, 0]]]), 3, tf.constant([[0.5, 0.1, 0.9, 0.2]]))
    assert drawn.valid.numpy().tolist() == [[True, True, True, True, False, False]]
    assert drawn.places.numpy()[0, :4].tolist() == [2, 3, 1, 0]


def test_cells_too_mixed_are_not_drawn():
    """Two cells of two pixels each: all foreground, and half of it, which a margin leaves out."""
    labels = cell_labels(tf.constant([[[1, 1, 1, 0]]]), (1, 2), boundary_margin=0.1)
    drawn = sample_cells(labels, 2, tf.constant([[0.1, 0.9]]))
    assert drawn.places.numpy()[drawn.valid].tolist() == [0]


def test_draws_are_equal_on_one_device_and_on_two_replicas(two_replicas):
    masks = np.random.default_rng(0).integers(0, 2, (8, 4, 5))
    seeds = seeds_of(8)

    def draw(masks, seeds):
        labels = cell_labels(masks, (4, 5))
        return sample_cells(labels, 3, example_noise(seeds, 20)).places

    def of_replica(context):
        half = slice(4 * context.replica_id_in_sync_group, None)
        return tf.constant(masks[half][:4]), tf.constant(seeds[half][:4])

    values = two_replicas.experimental_distribute_values_from_function(of_replica)

    @tf.function
    def on_replicas():
        return two_replicas.run(lambda pair: distribution.gather_rows(draw(*pair)), (values,))

    expected = draw(tf.constant(masks), tf.constant(seeds))
    for places in two_replicas.experimental_local_results(on_replicas()):
        np.testing.assert_array_equal(places, expected)


def test_take_picks_the_same_cells_from_features_and_from_pairs():
    random = np.random.default_rng(0)
    features, pairs = random.normal(size=(2, 6, 3)), random.normal(size=(2, 6, 6))
    labels = labels_of(random.integers(0, 2, (2, 2, 3)))
    one = sample_cells(labels, 2, random.random((2, 6)).astype("float32"))
    other = sample_cells(labels, 3, random.random((2, 6)).astype("float32"))
    taken, of_pairs = take(tf.constant(features), one), take_pairs(tf.constant(pairs), one, other)
    for b in range(2):
        rows, columns = one.places[b].numpy(), other.places[b].numpy()
        np.testing.assert_array_equal(taken[b], features[b, rows])
        np.testing.assert_array_equal(of_pairs[b], pairs[b][np.ix_(rows, columns)])
    every = all_cells(labels)
    assert take(features, every) is features
    np.testing.assert_array_equal(take_pairs(tf.constant(pairs), every, every), pairs)


@pytest.mark.parametrize("per_region", [0, 5])
def test_impossible_number_of_cells_is_refused(per_region):
    with pytest.raises(ValueError, match=rf"within \[1, 4\].*cells_per_region={per_region}"):
        sample_cells(labels_of([[[1, 0, 0, 0]]]), per_region, tf.ones((1, 4)))
