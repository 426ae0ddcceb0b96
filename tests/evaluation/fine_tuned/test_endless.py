import itertools

import keras
import numpy as np

from harl_tf.evaluation.fine_tuned.endless import endless


def test_order_is_that_of_the_seed_and_of_nothing_else():
    """All of ten before any is seen again; about half are mirrored."""

    def take(seed):
        return list(itertools.islice(endless(10, seed), 200))

    keras.utils.set_random_seed(0)
    first = take(3)
    keras.utils.set_random_seed(1)
    assert take(3) == first
    assert take(4) != first
    for start in range(0, 200, 10):
        assert sorted(index for index, _ in first[start : start + 10]) == list(range(10))
    assert 70 < np.sum([mirrored for _, mirrored in first]) < 130
