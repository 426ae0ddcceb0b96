"""LARS against a float64 NumPy version, by hand, and in every place an optimizer has to work."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.optimizers import LARS
from harl_tf.schedules import Cosine

SHAPES = {
    "kernel": (3, 4),
    "filters": (2, 2, 3, 2),
    "zeros": (4, 2),
    "excluded": (2, 3),
    "bias": (4,),
    "scalar": (),
}
PLAIN = ("excluded", "bias", "scalar")
STEPS = 6


def numpy_lars(
    weights, gradients, rates, momentum, nesterov, weight_decay, eta, clip, inside, plain
):
    """One variable, written from the formulas: all weights after each update, in float64."""
    w, v, path = weights.copy(), np.zeros_like(weights), []
    for gradient, rate in zip(gradients, rates, strict=True):
        g, trust = gradient, 1.0
        if not plain:
            g = gradient + weight_decay * w
            weight_norm, gradient_norm = math.sqrt((w**2).sum()), math.sqrt((g**2).sum())
            if weight_norm > 0 and gradient_norm > 0:
                trust = eta * weight_norm / gradient_norm
                if clip:
                    trust = min(trust / rate, 1.0) if rate > 0 else 1.0
        scaled = rate * trust * g if inside else trust * g
        v = momentum * v + scaled
        step = momentum * v + scaled if nesterov else v
        w = w - (step if inside else rate * step)
        path.append(w)
    return np.array(path)


def make_problem(seed=0):
    """Start and gradients of all variables; a kernel of zeros, and one update without gradient."""
    random = np.random.default_rng(seed)
    start = {name: random.normal(size=shape) for name, shape in SHAPES.items()}
    start["zeros"] *= 0.0
    gradients = {name: random.normal(size=(STEPS, *shape)) for name, shape in SHAPES.items()}
    gradients["filters"][2] = 0.0
    gradients["zeros"][0] = 0.0  # both norms are 0 before the weights leave 0
    return start, gradients


def run(optimizer, start, gradients, dtype):
    """The same by the optimizer, in a graph: weights after each update, by name."""
    variables = {name: keras.Variable(value, dtype=dtype) for name, value in start.items()}
    if "excluded" in variables:
        optimizer.exclude_variables([variables["excluded"]])
    optimizer.build(list(variables.values()))

    @tf.function
    def update(*step_gradients):
        optimizer.apply(step_gradients, list(variables.values()))

    path = {name: [] for name in variables}
    for step in range(len(next(iter(gradients.values())))):
        update(*[tf.constant(gradients[name][step], dtype) for name in variables])
        for name, variable in variables.items():
            path[name].append(variable.numpy())
    return {name: np.array(values) for name, values in path.items()}


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize("nesterov", [False, True])
def test_lars_agrees_with_numpy(nesterov, clip, inside, dtype, tolerance):
    """Six updates; the rate falls from 0.4 to 0 at the fifth, and stays there.

    With eta = 0.3 the trust ratios lie on both sides of the rates, so that the clip sometimes cuts.
    """
    keras.config.set_dtype_policy(dtype)
    start, gradients = make_problem()
    rates = [0.4 * (1 + math.cos(math.pi * min(step, 4) / 4)) / 2 for step in range(STEPS)]
    optimizer = LARS(
        Cosine(0.4, 0.0, steps=4),
        momentum=0.8,
        nesterov=nesterov,
        weight_decay=0.05,
        trust_coefficient=0.3,
        clip_trust=clip,
        rate_in_momentum=inside,
    )
    path = run(optimizer, start, gradients, dtype)
    for name in SHAPES:
        expected = numpy_lars(
            start[name],
            gradients[name],
            rates,
            *(0.8, nesterov, 0.05, 0.3, clip, inside),
            plain=name in PLAIN,
        )
        np.testing.assert_allclose(path[name], expected, rtol=0, atol=tolerance, err_msg=name)


def test_lars_defaults_are_those_of_the_paper_code():
    """Momentum 0.9, decay 1e-6, eta 1e-3, no Nesterov, no clip, the rate within the buffer."""
    start, gradients = make_problem()
    path = run(LARS(0.5), start, gradients, "float32")
    for name in SHAPES:
        expected = numpy_lars(
            start[name],
            gradients[name],
            [0.5] * STEPS,
            *(0.9, False, 1e-6, 1e-3, False, True),
            plain=name in PLAIN,
        )
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(path[name], expected, rtol=0, atol=1e-6 * scale, err_msg=name)


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_lars_step_is_a_fraction_of_the_weights(factor):
    """Without decay the first step is lr·eta·|w| long, however large the gradient: 2·0.01·5."""
    kernel = keras.Variable([[3.0, 4.0]])
    optimizer = LARS(2.0, weight_decay=0.0, trust_coefficient=0.01)
    optimizer.apply([tf.constant([[-6.0, 8.0]]) * factor], [kernel])
    np.testing.assert_allclose(kernel.numpy(), [[3.0 + 0.06, 4.0 - 0.08]], rtol=1e-6)


def test_lars_decay_alone_shrinks_by_the_rate_times_eta():
    """Without gradient g = wd·w, trust = eta/wd: w shrinks by 1 - lr·eta, whatever wd is."""
    kernel = keras.Variable([[3.0, 4.0]])
    optimizer = LARS(0.5, momentum=0.0, weight_decay=0.02, trust_coefficient=0.1)
    for _ in range(3):
        optimizer.apply([tf.zeros((1, 2))], [kernel])
    np.testing.assert_allclose(kernel.numpy(), [[3 * 0.95**3, 4 * 0.95**3]], rtol=1e-6)


def test_lars_zero_weights_take_the_plain_step():
    """|w| = 0: the trust ratio is 1, otherwise a layer that starts at 0 would stay there."""
    kernel = keras.Variable([[0.0, 0.0]])
    LARS(0.5).apply([tf.constant([[2.0, -4.0]])], [kernel])
    np.testing.assert_allclose(kernel.numpy(), [[-1.0, 2.0]], rtol=1e-7)


def test_lars_zero_everything_stays_zero():
    kernel = keras.Variable([[0.0, 0.0]])
    LARS(0.5, clip_trust=True).apply([tf.zeros((1, 2))], [kernel])
    np.testing.assert_array_equal(kernel.numpy(), [[0.0, 0.0]])


def test_lars_rate_inside_or_outside_the_buffer():
    """Rates 1 and 0.1, momentum 0.5, gradients of 1.

    Inside: v = 1, then 0.5 + 0.1, together 1.6. Outside: v = 1, then 1.5, together 1 + 0.15.
    """
    rates = keras.optimizers.schedules.PiecewiseConstantDecay([0], [1.0, 0.1])
    for inside, expected in ((True, -1.6), (False, -1.15)):
        bias = keras.Variable([0.0])
        optimizer = LARS(rates, momentum=0.5, rate_in_momentum=inside)
        for _ in range(2):
            optimizer.apply([tf.ones(1)], [bias])
        np.testing.assert_allclose(bias.numpy(), [expected], rtol=1e-6)


@pytest.mark.parametrize(("rate", "expected"), [(0.4, 0.25), (0.1, 0.1), (0.0, 0.0)])
def test_lars_clip_bounds_the_local_rate(rate, expected):
    """|w| = 5, |g| = 2 and eta = 0.1 make a trust of 0.25: the local rate is min(0.25, lr)."""
    kernel = keras.Variable([[3.0, 4.0]])
    optimizer = LARS(rate, weight_decay=0.0, trust_coefficient=0.1, clip_trust=True)
    optimizer.apply([tf.constant([[0.0, 2.0]])], [kernel])
    np.testing.assert_allclose(kernel.numpy(), [[3.0, 4.0 - 2 * expected]], rtol=1e-6)


@pytest.mark.parametrize("nesterov", [False, True])
def test_lars_without_adaptation_is_keras_sgd(nesterov):
    """Biases and batch normalisation follow plain momentum, schedule included."""
    start, gradients = make_problem()
    start, gradients = ({name: part[name] for name in PLAIN} for part in (start, gradients))
    rate = Cosine(0.3, 0.1, steps=4)
    path = run(LARS(rate, nesterov=nesterov), start, gradients, "float32")
    sgd = keras.optimizers.SGD(rate, momentum=0.9, nesterov=nesterov)
    variables = [keras.Variable(start[name]) for name in PLAIN]
    for step in range(STEPS):
        sgd.apply([tf.constant(gradients[name][step], "float32") for name in PLAIN], variables)
    for name, variable in zip(PLAIN, variables, strict=True):
        np.testing.assert_allclose(path[name][-1], variable.numpy(), rtol=0, atol=1e-6)


def test_lars_default_exclusion_is_by_rank_not_by_name():
    """Every kernel of a network is adapted, nothing else, whatever the layers are called."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(2, 3, name="bias_gamma_batch_normalization"),
            keras.layers.BatchNormalization(name="stem"),
            keras.layers.DepthwiseConv2D(3, name="beta"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(4),
        ]
    )
    before = [variable.numpy() for variable in model.trainable_variables]
    gradients = [tf.ones(variable.shape) for variable in model.trainable_variables]
    LARS(1.0, momentum=0.0).apply(gradients, model.trainable_variables)
    for variable, old in zip(model.trainable_variables, before, strict=True):
        # A gradient of ones at rate 1 moves plain variables by 1, adapted ones by far less.
        plain = np.allclose(old - variable.numpy(), 1.0, atol=1e-6)
        assert plain == (variable.name not in ("kernel",)), variable.path


def test_lars_exclusions_add_up():
    kernels = [keras.Variable([[3.0, 4.0]]) for _ in range(3)]
    optimizer = LARS(1.0, trust_coefficient=0.1, weight_decay=0.0)
    optimizer.exclude_variables(kernels[:1])
    optimizer.exclude_variables(iter(kernels[2:]))
    optimizer.apply([tf.constant([[0.0, 1.0]])] * 3, kernels)
    moved = [4.0 - kernel.numpy()[0, 1] for kernel in kernels]
    np.testing.assert_allclose(moved, [1.0, 0.5, 1.0], rtol=1e-6)


def test_lars_excluding_a_foreign_variable_is_an_error():
    layer, foreign = keras.layers.Dense(2), keras.layers.Dense(2, name="foreign")
    layer.build((None, 3))
    foreign.build((None, 3))
    optimizer = LARS(0.1)
    optimizer.exclude_variables([layer.kernel, foreign.kernel])
    with pytest.raises(ValueError, match=r"among the trainable .* Received: foreign/kernel\."):
        optimizer.build(layer.trainable_variables)
    assert not optimizer.built


def test_lars_excluding_too_late_is_an_error():
    kernel = keras.Variable([[1.0]])
    optimizer = LARS(0.1)
    optimizer.build([kernel])
    with pytest.raises(ValueError, match=r"Expected exclude_variables\(\) before the optimizer"):
        optimizer.exclude_variables([kernel])


def test_lars_keras_way_to_exclude_is_refused():
    """It would leave adaptation on, and it matches names."""
    with pytest.raises(ValueError, match=r"Expected exclude_variables\(variables\). Received: "):
        LARS(0.1).exclude_from_weight_decay(var_names=["bias"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"momentum": 1.0}, r"Expected momentum within \[0, 1\). Received: momentum=1.0"),
        ({"momentum": -0.1}, r"Expected momentum within \[0, 1\). Received: momentum=-0.1"),
        ({"weight_decay": -1e-6}, r"Expected weight_decay >= 0. Received: weight_decay=-1e-06"),
        ({"weight_decay": None}, r"Expected weight_decay >= 0. Received: weight_decay=None"),
        ({"trust_coefficient": 0.0}, r"Expected trust_coefficient > 0. Received: .*=0.0"),
    ],
)
def test_lars_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        LARS(0.1, **arguments)


def test_lars_clipnorm_clips_each_gradient_first():
    """A bias with the gradient (3, 4) and clipnorm 1 moves by (0.6, 0.8)."""
    bias = keras.Variable([0.0, 0.0])
    LARS(1.0, clipnorm=1.0).apply([tf.constant([3.0, 4.0])], [bias])
    np.testing.assert_allclose(bias.numpy(), [-0.6, -0.8], rtol=1e-6)


def test_lars_sparse_gradient_is_the_dense_one():
    """An embedding gathered twice at row 1; decay reaches the rows nobody looked up."""
    tables = [keras.Variable(np.arange(1.0, 7.0).reshape(3, 2)) for _ in range(2)]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.gather(tables[0].value, [1, 1, 0]))
    sparse = tape.gradient(loss, tables[0].value)
    assert isinstance(sparse, tf.IndexedSlices)
    for table, gradient in zip(
        tables, (sparse, tf.constant([[1.0, 1.0], [2.0, 2.0], [0.0, 0.0]])), strict=True
    ):
        LARS(1.0, weight_decay=0.1, trust_coefficient=0.1).apply([gradient], [table])
    np.testing.assert_allclose(tables[0].numpy(), tables[1].numpy(), rtol=1e-6)
    assert (tables[0].numpy()[2] < [5.0, 6.0]).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_lars_half_precision_variables_have_float32_norms(dtype):
    """64 gradients of 2^-13: squares are 0 in float16, the norm is 2^-10 all the same.

    |w| = 8, trust = 2^-5·8/2^-10 = 2^8, each weight moves by 2^-13·2^8 = 2^-5, exact in both.
    """
    kernel = keras.Variable(tf.ones((8, 8)), dtype=dtype)
    optimizer = LARS(1.0, weight_decay=0.0, trust_coefficient=2.0**-5)
    optimizer.apply([tf.constant(2.0**-13, dtype, (8, 8))], [kernel])
    np.testing.assert_array_equal(tf.cast(kernel.value, tf.float32), np.full((8, 8), 1 - 2.0**-5))


def test_lars_under_a_loss_scale():
    """The wrapper takes the scale off before LARS sees it, and skips an update that overflowed."""
    start, gradients = make_problem()
    expected = run(LARS(0.5, weight_decay=0.05), start, gradients, "float32")
    variables = [keras.Variable(value) for value in start.values()]
    inner = LARS(0.5, weight_decay=0.05)
    inner.exclude_variables([variables[list(SHAPES).index("excluded")]])
    optimizer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=1024.0)
    optimizer.build(variables)
    overflown = [tf.constant(np.inf, tf.float32, variable.shape) for variable in variables]
    optimizer.apply(overflown, variables)
    assert float(optimizer.scale_loss(1.0)) == 512.0
    for step in range(STEPS):
        scaled = [tf.constant(512.0 * g[step], "float32") for g in gradients.values()]
        optimizer.apply(scaled, variables)
    assert int(optimizer.iterations) == STEPS
    for name, variable in zip(SHAPES, variables, strict=True):
        np.testing.assert_allclose(variable.numpy(), expected[name][-1], rtol=0, atol=1e-6)


def test_lars_config_survives_serialization():
    optimizer = LARS(
        Cosine(0.5, 0.0, 10),
        momentum=0.8,
        nesterov=True,
        weight_decay=1e-4,
        trust_coefficient=0.01,
        clip_trust=True,
        rate_in_momentum=False,
        clipnorm=3.0,
        name="mine",
    )
    config = keras.optimizers.serialize(optimizer)
    assert config["registered_name"] == "harl_tf>LARS"
    restored = keras.optimizers.deserialize(config)
    assert restored.get_config() == optimizer.get_config()
    values = [
        getattr(restored, name)
        for name in ("momentum", "nesterov", "weight_decay", "trust_coefficient", "clipnorm")
    ]
    assert values == [0.8, True, 1e-4, 0.01, 3.0]
    assert (restored.clip_trust, restored.rate_in_momentum, restored.name) == (True, False, "mine")
    assert type(restored.learning_rate) is not float
    assert float(restored.learning_rate) == 0.5


def test_lars_config_before_its_exclusions_have_positions_is_an_error():
    optimizer = LARS(0.1)
    optimizer.exclude_variables([keras.Variable([[1.0]])])
    with pytest.raises(ValueError, match=r"Expected a built optimizer: .* Received: an optimizer"):
        optimizer.get_config()


def test_lars_config_for_a_smaller_network_is_an_error():
    kernels = [keras.Variable([[1.0]]), keras.Variable([[1.0]])]
    optimizer = LARS(0.1)
    optimizer.exclude_variables(kernels[1:])
    optimizer.build(kernels)
    restored = LARS.from_config(optimizer.get_config())
    with pytest.raises(ValueError, match=r"among the trainable .* Received: number 1\."):
        restored.build(kernels[:1])


def make_model():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3, name="head"),
        ]
    )
    random = np.random.default_rng(3)
    model.set_weights([random.uniform(0.1, 1.0, weight.shape) for weight in model.weights])
    return model


def compile_model(model):
    optimizer = LARS(Cosine(0.05, 0.0, 12), weight_decay=1e-3, trust_coefficient=0.5)
    optimizer.exclude_variables([model.get_layer("head").kernel])
    model.compile(optimizer, loss="mse", jit_compile=False)
    return model


def fit(model, epochs):
    random = np.random.default_rng(4)
    inputs = random.normal(size=(16, 6)).astype("float32")
    targets = inputs[:, :3] ** 2
    history = model.fit(inputs, targets, batch_size=8, epochs=epochs, shuffle=False, verbose=0)
    return history.history["loss"]


def test_lars_interrupted_training_goes_on_as_if_it_had_not_been(tmp_path):
    """Weights, buffers, the place on the schedule and the exclusion all are in the file."""
    whole = compile_model(make_model())
    fit(whole, 6)
    first = compile_model(make_model())
    fit(first, 3)
    first.save(tmp_path / "model.keras")
    second = keras.models.load_model(tmp_path / "model.keras")
    assert type(second.optimizer) is LARS
    assert int(second.optimizer.iterations) == 6
    for saved, restored in zip(first.optimizer.variables, second.optimizer.variables, strict=True):
        np.testing.assert_array_equal(saved.numpy(), restored.numpy())
    fit(second, 3)
    for weight, expected in zip(second.get_weights(), whole.get_weights(), strict=True):
        assert np.isfinite(expected).all()
        np.testing.assert_array_equal(weight, expected)


def test_lars_state_holds_only_its_own_variables():
    """Iterations and one buffer per variable: an excluded variable is not part of the state."""
    model = compile_model(make_model())
    model.optimizer.build(model.trainable_variables)
    variables = model.optimizer.variables
    assert len(variables) == 1 + len(model.trainable_variables)
    assert not {id(variable) for variable in variables} & {id(v) for v in model.variables}


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_lars_trains_under_a_policy(policy):
    """The loss falls; weights and buffers have the policy's variable dtype."""
    keras.config.set_dtype_policy(policy)
    model = compile_model(make_model())
    losses = fit(model, 6)
    assert losses[-1] < 0.7 * losses[0]
    optimizer = model.optimizer
    if policy == "mixed_float16":  # Keras wraps it in a LossScaleOptimizer
        optimizer = optimizer.inner_optimizer
    assert type(optimizer) is LARS
    expected = "float64" if policy == "float64" else "float32"
    assert {variable.dtype for variable in model.trainable_variables} == {expected}
    assert {variable.dtype for variable in optimizer.variables[1:]} == {expected}


def replicated_path(strategy, dtype, wrap):
    """Weights after each update, the replicas' gradients being -1/2 and 3/2 of the whole one."""
    start, gradients = make_problem()
    with strategy.scope():
        variables = [keras.Variable(value, dtype=dtype) for value in start.values()]
        optimizer = LARS(Cosine(0.4, 0.0, 4), weight_decay=0.05, trust_coefficient=0.1)
        optimizer.exclude_variables([variables[list(SHAPES).index("excluded")]])
        optimizer = wrap(optimizer)
        optimizer.build(variables)

    def replica_step(*whole):
        context = tf.distribute.get_replica_context()
        share = 1.0
        if context.num_replicas_in_sync == 2:
            share = 2.0 * tf.cast(context.replica_id_in_sync_group, dtype) - 0.5
        shares = [optimizer.scale_loss(tf.cast(g * share, dtype)) for g in whole]
        optimizer.apply(shares, variables)

    @tf.function
    def update(whole):
        strategy.run(replica_step, args=whole)

    path = []
    for step in range(STEPS):
        update(tuple(tf.constant(g[step], dtype) for g in gradients.values()))
        path.append([strategy.experimental_local_results(v.value) for v in variables])
    return [[[copy.numpy() for copy in copies] for copies in step] for step in path]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-10)])
def test_lars_two_replicas_are_one_device(two_replicas, dtype, tolerance):
    """Norms are those of the summed gradient, and both copies of each variable stay equal."""
    one = replicated_path(tf.distribute.get_strategy(), dtype, lambda optimizer: optimizer)
    two = replicated_path(two_replicas, dtype, lambda optimizer: optimizer)
    for single, replicated in zip(one, two, strict=True):
        for (expected,), (first, second) in zip(single, replicated, strict=True):
            np.testing.assert_array_equal(first, second)
            np.testing.assert_allclose(first, expected, rtol=0, atol=tolerance)


def test_lars_two_replicas_under_a_loss_scale(two_replicas):
    """Keras applies a wrapped optimizer across replicas by another way."""
    one = replicated_path(tf.distribute.get_strategy(), "float32", lambda optimizer: optimizer)
    two = replicated_path(two_replicas, "float32", keras.optimizers.LossScaleOptimizer)
    for single, replicated in zip(one, two, strict=True):
        for (expected,), (first, second) in zip(single, replicated, strict=True):
            np.testing.assert_array_equal(first, second)
            np.testing.assert_allclose(first, expected, rtol=0, atol=1e-6)
