"""Every method takes the same steps on one device, on two replicas and on four.

The largest differences found are properties of the tests, which ``--junitxml=FILE -o
junit_family=xunit1`` writes to a file.
"""

import keras
import numpy as np
import pytest

from tests.integration.train_on_worker import (
    PROOFS,
    Run,
    build,
    largest_difference,
    largest_disagreement,
    train,
    views_of,
)
from tests.networks import tiny_methods

QUICK = ["moco_v2", "hapicl"]
"""A queue and a target, cells; the proof on graphs has all methods."""


def assert_same_history(first: Run, second: Run) -> None:
    """Figures are float32 under every policy."""
    assert first.history.keys() == second.history.keys() == set(first.model.metric_names)
    for name, values in first.history.items():
        np.testing.assert_allclose(second.history[name], values, 1e-6, 1e-6, err_msg=name)


@pytest.mark.parametrize("name", QUICK)
def test_method_takes_the_same_two_steps_on_two_replicas(records, two_replicas, name):
    """Eagerly, for tracing is what takes time; the proof below is on graphs."""
    keras.config.set_dtype_policy("float64")
    views = views_of(records)

    def make() -> keras.Model:
        return build(name, run_eagerly=True)

    single, double = (
        train(make, views, strategy, steps_per_epoch=2) for strategy in (None, two_replicas)
    )
    assert largest_difference(single.variables, double.variables) <= 1e-8
    assert largest_disagreement(double) == 0.0
    assert_same_history(single, double)
    # And there were steps: the first kernel has moved.
    assert largest_difference(single.variables[:1], make().get_weights()[:1]) > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("policy", PROOFS)
@pytest.mark.parametrize("name", tiny_methods())
def test_method_is_the_same_on_one_two_and_four_replicas(
    records, two_replicas, four_replicas, name, policy, record_property
):
    """Three epochs in float64, on batches of one photograph per replica at last; a step in float32,
    whose rounding turns ReLUs near zero on or off."""
    keras.config.set_dtype_policy(policy)
    batch_size, epochs, tolerance = PROOFS[policy]
    views = views_of(records, batch_size)
    single = train(lambda: build(name), views, epochs=epochs)
    for strategy in (two_replicas, four_replicas):
        several = train(lambda: build(name), views, strategy, epochs=epochs)
        difference = largest_difference(single.variables, several.variables)
        record_property(f"replicas_{strategy.num_replicas_in_sync}", difference)
        assert difference <= tolerance
        assert largest_disagreement(several) == 0.0
        if policy == "float64":
            assert_same_history(single, several)
    assert largest_difference(single.variables[:1], build(name).get_weights()[:1]) > 20 * tolerance
