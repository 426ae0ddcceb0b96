"""Uniform, independent, and a function of the seed alone."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.pretraining.noise import example_noise, gumbel

BINS = 64


def seeds_of(kind: str) -> np.ndarray:
    """5000 seeds: as the stream draws them, or as alike as can be."""
    if kind == "drawn":
        return np.random.default_rng(0).integers(-(2**31), 2**31, (5000, 2)).astype("int32")
    counted = np.arange(5000, dtype="int32")
    pairs = {"first": (counted, 7 + 0 * counted), "second": (7 + 0 * counted, counted)}
    return np.stack(pairs[kind], axis=-1)


def chi_square(numbers: np.ndarray) -> float:
    """Of 64 bins: 63 expected, standard deviation √126 = 11.2."""
    counts = np.histogram(numbers, BINS, (0, 1))[0]
    expected = numbers.size / BINS
    return float(((counts - expected) ** 2 / expected).sum())


@pytest.mark.parametrize("kind", ["drawn", "first", "second"])
def test_numbers_are_uniform_over_all_within_an_example_and_across_examples(kind):
    """Five standard deviations above the mean, 63 + 56 = 119, once in a million."""
    noise = example_noise(seeds_of(kind), 100).numpy()
    assert noise.dtype == np.float32
    assert chi_square(noise) < 119
    assert max(chi_square(noise[:, column]) for column in (0, 1, 99)) < 119
    long = example_noise(seeds_of(kind)[:3], 5000).numpy()
    assert max(chi_square(row) for row in long) < 119


@pytest.mark.parametrize("kind", ["drawn", "first", "second"])
def test_numbers_are_uncorrelated_with_their_neighbors(kind):
    """Of 500 000 pairs a correlation has standard deviation 0.0014; five of them."""
    noise = example_noise(seeds_of(kind), 101).numpy().astype("float64")
    for one, other in (
        (noise[:, :-1], noise[:, 1:]),  # the next number
        (noise[:-1, 1:], noise[1:, 1:]),  # the same number of the next example
    ):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.0075


def test_numbers_of_the_two_views_differ_and_are_uncorrelated():
    """The second view's seed is the first's inverted; their difference modulo 1 is uniform too."""
    seeds = seeds_of("drawn")
    first, second = example_noise(seeds, 100).numpy(), example_noise(~seeds, 100).numpy()
    assert not np.any((first == second).all(axis=1))
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.0075
    assert chi_square((first.astype("float64") - second) % 1.0) < 119


def test_numbers_do_not_depend_on_the_place_in_the_batch_nor_on_their_count():
    seeds = seeds_of("drawn")[:50]
    order = np.random.default_rng(1).permutation(50)
    noise = example_noise(seeds, 20).numpy()
    np.testing.assert_array_equal(example_noise(seeds[order], 20), noise[order])
    np.testing.assert_array_equal(example_noise(seeds[7:8], 5), noise[7:8, :5])


def test_numbers_lie_strictly_between_zero_and_one():
    """The largest word of 23 bits, 2^23 - 1, gives 1 - 2^-24; of 24 bits it would round to 1."""
    noise = example_noise(seeds_of("drawn"), 4000).numpy()
    assert noise.min() > 0
    assert noise.max() < 1
    assert noise.max() > 1 - 2.0**-21
    assert np.isfinite(gumbel(tf.constant([noise.min(), noise.max()]))).all()


def test_gumbel_noise_draws_by_weight():
    """arg max of Gumbel noise + log(1, 2, 5): eighths, within 5 σ of 50 000 draws."""
    noise = gumbel(example_noise(seeds_of("drawn"), 30)).numpy().reshape(-1, 3)
    counts = np.bincount((noise + np.log([1, 2, 5])).argmax(axis=1))
    np.testing.assert_allclose(counts / 50_000, [1 / 8, 2 / 8, 5 / 8], atol=0.011)
