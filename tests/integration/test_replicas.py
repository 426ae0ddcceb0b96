"""One device and replicas that share the same global batch must take the same steps."""

import itertools

import keras
import numpy as np
import pytest

import harl_tf
from tests.integration.train_on_worker import build, largest_difference, train, views_of
from tests.networks import tiny_hapicl


def resnet_hapicl() -> harl_tf.HAPiCL:
    """The real network, at the learning rate of the first steps of a warm-up."""
    keras.utils.set_random_seed(0)
    model = harl_tf.HAPiCL(harl_tf.backbones.resnet(18, output_stride=16))
    model.compile(keras.optimizers.SGD(5e-4, momentum=0.9))
    return model


@pytest.mark.slow
@pytest.mark.parametrize(("policy", "tolerance"), [("float32", 1e-5), ("float64", 1e-8)])
def test_two_replicas_equal_one_device_after_a_step_of_resnet_18(
    records, two_replicas, policy, tolerance
):
    """Rounding turns a few ReLUs near zero on or off, in float32 more than in float64; two
    float32 kernels on one device differ as much. (Colors are float32 under every policy.)"""
    keras.config.set_dtype_policy(policy)
    views = harl_tf.data.PairedViews(records, batch_size=8, image_size=48)
    before = resnet_hapicl().get_weights()
    single = train(resnet_hapicl, views).variables
    double = train(resnet_hapicl, views, two_replicas).variables
    assert largest_difference(single, double) <= tolerance
    # And it was a step worth comparing.
    assert largest_difference(before[:1], single[:1]) > 20 * tolerance


def test_two_replicas_equal_one_device_after_three_epochs_in_float64(records, two_replicas):
    """In float32 rounding alone drives trajectories apart; in float64 it has no time to.

    The stream is handed over as a data set here, as one that is not a ``PairedViews`` would be.
    """
    keras.config.set_dtype_policy("float64")
    views = views_of(records)
    settings = {"steps_per_epoch": views.steps_per_epoch, "epochs": 3, "shuffle": False}
    single = train(tiny_hapicl, views.from_epoch(0), **settings)
    double = train(tiny_hapicl, views.from_epoch(0), two_replicas, **settings)
    assert largest_difference(single.variables, double.variables) <= 1e-8


@pytest.mark.parametrize("replicas", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_two_steps_per_execution_are_the_same_steps(records, two_replicas, replicas):
    """Two batches of six photographs an epoch: one execution of two steps, or two of one.

    Graph against graph: run eagerly, the float32 colors differ in their last bit.
    """
    keras.config.set_dtype_policy("float64")
    strategy = two_replicas if replicas == 2 else None
    one, two = (
        train(lambda steps=steps: build("simclr", **steps), views_of(records, 6), strategy)
        for steps in ({}, {"steps_per_execution": 2})
    )
    assert two.model.optimizer.iterations.numpy() == 2
    assert largest_difference(one.variables, two.variables) <= 1e-8


@pytest.mark.slow
def test_evaluate_on_two_replicas_reports_what_one_device_does(records, two_replicas):
    """Without learning anything: no update, no batch statistics."""
    keras.config.set_dtype_policy("float64")
    views, found = views_of(records), []
    for strategy in (None, two_replicas):
        # Two steps, so that moving statistics are not what they started with.
        run = train(lambda: build("byol", run_eagerly=True), views, strategy, steps_per_epoch=2)
        before = run.variables
        figures = run.model.evaluate(views.from_epoch(0), steps=3, return_dict=True, verbose=0)
        is_metric = {id(each) for metric in run.model.metrics for each in metric.variables}
        kept = [id(each) not in is_metric for each in run.model.variables]
        for old, new in itertools.compress(zip(before, run.variables, strict=True), kept):
            np.testing.assert_array_equal(new, old)
        found.append(figures)
    assert found[0].keys() == set(run.model.metric_names)
    for name, value in found[0].items():
        assert found[1][name] == pytest.approx(value, rel=1e-6, abs=1e-6), name


def test_batch_that_replicas_cannot_share_is_refused(records, two_replicas):
    views = harl_tf.data.PairedViews(records, batch_size=5, image_size=32)
    with two_replicas.scope():
        model = tiny_hapicl()
    with pytest.raises(ValueError, match=r"2 replicas share evenly, such as 4.*batch_size=5"):
        model.fit(views.from_epoch(0), steps_per_epoch=1, verbose=0, shuffle=False)
