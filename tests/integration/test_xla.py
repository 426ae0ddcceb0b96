"""``compile(jit_compile=True)``: the step that XLA compiles is the step."""

import keras
import pytest
import tensorflow as tf

import harl_tf
from tests.integration.train_on_worker import build, largest_difference, train, views_of
from tests.networks import tiny_methods

FAST = ("hapicl",)
FUSED = "hapicl_fused_maps"
METHODS = [
    pytest.param(name, marks=[] if name in FAST else pytest.mark.slow) for name in tiny_methods()
]


@pytest.fixture(autouse=True)
def float64():
    keras.config.set_dtype_policy("float64")


@pytest.mark.parametrize("name", METHODS)
def test_compiled_step_is_the_same_step(records, name):
    """In float64, so that another order of additions does not show.

    But for fused maps: ``tf.image.resize`` answers in float32 whatever it is given, so there the
    bound is one rounding of that, 2⁻²⁴ = 6e-8. With a float64 interpolation in its place the two
    steps differed by 4e-14.
    """
    one, two = (
        train(lambda jit=jit: build(name, jit_compile=jit), views_of(records))
        for jit in (False, True)
    )
    assert largest_difference(one.variables, two.variables) <= (2**-24 if name == FUSED else 1e-8)


def test_xla_compiles_all_of_the_step_and_nothing_else(records):
    """One call, marked as such; taking a batch from the stream stays outside."""
    model = build("simclr", jit_compile=True)
    model.optimizer.build(model.trainable_variables)
    batches = iter(views_of(records).from_epoch(0))
    graph = model.make_train_function().get_concrete_function(batches).graph
    calls = [each for each in graph.get_operations() if "PartitionedCall" in each.type]
    assert [bool(each.get_attr("_XlaMustCompile")) for each in calls] == [True]
    assert any(each.type == "IteratorGetNext" for each in graph.get_operations())


@pytest.mark.slow
def test_strategy_of_one_device_may_compile(records):
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    one, two = (
        train(lambda jit=jit: build("simclr", jit_compile=jit), views_of(records), strategy)
        for jit in (False, True)
    )
    assert largest_difference(one.variables, two.variables) <= 1e-8


def test_several_replicas_refuse_it(two_replicas):
    with two_replicas.scope():
        model = tiny_methods()["simclr"]()
        with pytest.raises(ValueError, match="jit_compile=False on several replicas"):
            model.compile("sgd", jit_compile=True)


def test_default_is_without(records):
    assert not build("simclr").jit_compile
    assert isinstance(build("simclr"), harl_tf.SimCLR)
