"""Draws are a function of (seed, pass, example), uniform and without relation to each other."""

import numpy as np
import pytest

from harl_tf.data.draws import draw

IDENTITIES = np.array([5, 2**62, 7], np.int64)


def test_draws_of_an_example_do_not_depend_on_its_company():
    together = draw(3, 1, IDENTITIES, 6)
    for row in range(3):
        alone = draw(3, 1, IDENTITIES[row : row + 1], 6)
        np.testing.assert_array_equal(together.uniform[row], alone.uniform[0])
        np.testing.assert_array_equal(together.seeds[row], alone.seeds[0])


@pytest.mark.parametrize(("seed", "index"), [(4, 1), (-3, 1), (3, 2), (3, 0)])
def test_another_seed_or_pass_draws_other_numbers(seed, index):
    first, other = draw(3, 1, IDENTITIES, 6), draw(seed, index, IDENTITIES, 6)
    assert not np.isin(first.uniform, other.uniform).any()
    assert not np.isin(first.seeds, other.seeds).any()


def test_draws_are_the_documented_words_of_philox():
    """Key (example, seed · 2³² + pass): the first word is the seed, the others 24 bits each."""
    words = np.random.Philox(key=np.array([7, (3 << 32) + 1], np.uint64)).random_raw(13)
    drawn = draw(3, 1, np.array([7]), 6)
    np.testing.assert_array_equal(drawn.uniform.ravel(), (words[1:] >> np.uint64(40)) / 2.0**24)
    assert drawn.seeds.astype(np.uint32).tolist() == [[int(words[0]) % 2**32, int(words[0]) >> 32]]


def test_draws_are_uniform_and_below_one():
    """60,000 numbers: the mean within 4 standard errors (.0012) of 1/2, a tenth in each tenth."""
    values = draw(0, 0, np.arange(1000), 30).uniform
    assert values.dtype == np.float32
    assert values.min() >= 0
    assert values.max() < 1
    assert abs(values.mean() - 0.5) < 0.005
    shares = np.histogram(values, bins=10, range=(0, 1))[0] / values.size
    assert np.abs(shares - 0.1).max() < 0.005


def test_views_and_neighbors_are_not_correlated():
    """1,000 pairs: a correlation has the standard error .032."""
    values = draw(0, 0, np.arange(1000), 4).uniform.reshape(1000, 8)
    correlation = np.corrcoef(values.T) - np.eye(8)
    assert np.abs(correlation).max() < 0.13
