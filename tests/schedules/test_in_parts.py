"""Schedules one after another, and what continues what."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.schedules import Cosine, InParts, continues, warmup_cosine

ONE, TWO, THREE = Cosine(1.0, 0.0, 10), warmup_cosine(0.5, 8, 2), Cosine(0.2, 0.1, 4)


def serialized(schedule):
    return keras.saving.serialize_keras_object(schedule)


def test_each_part_counts_from_its_own_beginning():
    schedule = InParts([ONE, TWO, THREE], [10, 8])
    found = [float(schedule(step)) for step in range(25)]
    expected = [float(ONE(step)) for step in range(10)]
    expected += [float(TWO(step)) for step in range(8)]
    expected += [float(THREE(step)) for step in range(7)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_in_a_graph_and_as_a_rate_of_an_optimizer():
    schedule = InParts([TWO, ONE], [8])
    step = tf.Variable(9, dtype=tf.int64)
    assert float(tf.function(lambda: schedule(step))()) == pytest.approx(float(ONE(1)))
    optimizer = keras.optimizers.AdamW(schedule)
    assert float(optimizer.learning_rate) == 0.0
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()


@pytest.mark.parametrize(
    ("followed", "schedule", "step", "answer"),
    [
        (ONE, InParts([ONE, TWO], [10]), 0, True),
        (ONE, InParts([ONE, TWO], [10]), 10, True),
        (ONE, InParts([ONE, TWO], [10]), 11, False),  # went on beyond its end
        (ONE, InParts([TWO, ONE], [10]), 10, False),
        (ONE, TWO, 10, False),
        (InParts([ONE, TWO], [10]), InParts([ONE, TWO, THREE], [10, 8]), 18, True),
        (InParts([ONE, TWO], [10]), InParts([ONE, TWO, THREE], [10, 8]), 19, False),
        (InParts([ONE, TWO], [10]), InParts([ONE, TWO, THREE], [9, 9]), 18, False),
        (InParts([ONE, TWO], [10]), ONE, 10, False),
    ],
)
def test_what_continues_what(followed, schedule, step, answer):
    assert continues(serialized(followed), serialized(schedule), step) is answer


@pytest.mark.parametrize("lengths", [[], [3, 3], [0]])
def test_lengths_that_do_not_fit_are_refused(lengths):
    with pytest.raises(ValueError, match="one schedule more than lengths"):
        InParts([ONE, TWO], lengths)
