"""Defects 15 to 30: the training system around the formulas."""

import ast
import importlib
import pathlib
import pkgutil
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
import mask_generation
from harl_tf import losses
from harl_tf.callbacks import Checkpoint
from harl_tf.data import PairedViews, RandomResizedCrop, decoding, geometry
from harl_tf.data import records as schema
from harl_tf.layers import RandomColor, random_color
from harl_tf.pretraining.target import follow, target_copy
from harl_tf.schedules import Cosine, value_at, warmup_cosine
from tests.defects import unit_rows
from tests.networks import tiny_hapicl, tiny_methods, tiny_pyramid

ALPHA, BETA = Cosine(0.5, 1.0, 9), Cosine(0.9, 0.1, 9)
WITH_TARGET = (
    "byol",
    "moco_v2",
    "pixpro",
    "detcon",
    "densecl",
    "harl_intermediate",
    "hapicl_harl",
    "hapicl_momentum_keys",
)


@pytest.fixture(scope="module")
def batch(records):
    return next(iter(PairedViews(records, batch_size=4, image_size=32).from_epoch(0)))


class Run(NamedTuple):
    """Three epochs of three steps of HAPiCL with HARL, every weight on a schedule."""

    model: harl_tf.HAPiCL
    steps: list[dict[str, float]]
    started_from: list[np.ndarray]
    traces: int


@pytest.fixture(scope="module")
def run(records):
    keras.utils.set_random_seed(0)
    instance = harl_tf.methods.RegionBootstrap(ALPHA, BETA, projection_units=16, hidden_units=32)
    model = harl_tf.HAPiCL(
        tiny_pyramid(),
        instance,
        harl_tf.methods.PixelContrast(projection_units=16, hidden_units=32),
        pixel_weight=Cosine(0.0, 1.0, 9),
        momentum=Cosine(0.5, 1.0, 9),
    )
    model.compile(keras.optimizers.SGD(warmup_cosine(0.1, steps=10, warmup_steps=9)))
    before = [value.numpy() for value in model.target_backbone.weights]
    steps = []

    means: dict[str, float] = {}

    def note(batch, logs):
        """Keras logs means of the epoch so far; what the step itself had follows from two."""
        steps.append({k: (batch + 1) * v - batch * means.get(k, 0.0) for k, v in logs.items()})
        means.update(logs)

    model.fit(
        PairedViews(records, batch_size=4, image_size=32),
        epochs=3,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=note)],
    )
    return Run(model, steps, before, model.train_function.experimental_get_tracing_count())


def operations(function):
    """Names of all operations of a traced function, those of functions within it included."""
    definition = function.graph.as_graph_def()
    within = (node for each in definition.library.function for node in each.node_def)
    return {node.op for node in (*definition.node, *within)}


def average_in_python(online, target, momentum):
    """Weights go to the host and come back."""
    for source, copy in zip(online.weights, target.weights, strict=True):
        average = tf.numpy_function(
            lambda old, new: momentum * old + (1 - momentum) * new,
            [copy.value, source.value],
            tf.float32,
        )
        copy.assign(tf.ensure_shape(average, copy.shape))


def test_15_target_moves_within_the_graph(run, batch):
    """The traced step calls no Python function, and the target has moved by it."""
    online = tiny_pyramid()
    target = target_copy(online)
    defective = tf.function(lambda: average_in_python(online, target, 0.9))

    def holds(function):
        return not any("PyFunc" in name for name in operations(function))

    stream = iter(tf.data.Dataset.from_tensors(batch).repeat())
    step = run.model.train_function.get_concrete_function(stream)
    assert not holds(defective.get_concrete_function())
    assert holds(step)
    assert "AssignVariableOp" in operations(step)
    moved = zip(run.started_from, run.model.target_backbone.weights, strict=True)
    assert all(not np.array_equal(old, new.numpy()) for old, new in moved)


def average_everything(online, target, momentum):
    old, new = target.get_weights(), online.get_weights()
    target.set_weights([momentum * a + (1 - momentum) * b for a, b in zip(old, new, strict=True)])


def test_15_target_follows_in_its_weights_only():
    """With momentum 0 the weights are the online ones; batch statistics stay the target's own."""

    def holds(update):
        online = tiny_pyramid()
        target = target_copy(online)
        for variable in online.weights:
            variable.assign(variable + 1.0)
        statistics = [weight.numpy() for weight in target.weights if "moving" in weight.path]
        update(online, target, 0.0)
        kept = [weight.numpy() for weight in target.weights if "moving" in weight.path]
        followed = zip(online.weights, target.weights, strict=True)
        return np.array_equal(np.concatenate(kept), np.concatenate(statistics)) and all(
            np.array_equal(a.numpy(), b.numpy()) for a, b in followed if a.trainable
        )

    assert not holds(average_everything)
    assert holds(lambda online, target, momentum: follow([(online, target)], momentum))


@pytest.mark.parametrize("method", WITH_TARGET)
def test_16_target_starts_as_the_online_network(method):
    """Before the first step every target has its online network's weights, heads included."""

    def made_anew(pairs):
        return [(online, keras.models.clone_model(online)) for online, _ in pairs]

    def holds(pairs):
        weights = [(a.get_weights(), b.get_weights()) for a, b in pairs]
        return len(pairs) >= 2 and all(
            np.array_equal(a, b) for pair in weights for a, b in zip(*pair, strict=True)
        )

    pairs = tiny_methods()[method]().momentum_pairs()
    assert not holds(made_anew(pairs))
    assert holds(pairs)


def distance_to_live_targets(predictions, targets):
    unit = [tf.math.l2_normalize(each, -1) for each in (predictions, targets)]
    return 2 - 2 * tf.reduce_sum(unit[0] * unit[1], axis=-1)


def of_cells(loss):
    """A loss between cells as one between rows: each row an image of one cell."""
    return lambda predictions, targets: loss(predictions[:, None], targets[:, None])


IDS = tf.zeros((4, 1), tf.int32)
LOSSES_WITH_TARGETS = {
    "cosine_distance": losses.cosine_distance,
    "momentum_contrast": lambda p, t: losses.momentum_contrast(p, t, unit_rows(5, 3, seed=2)),
    "queue": lambda p, t: losses.momentum_contrast(p, unit_rows(4, 3, seed=2), t),
    "dense_contrast": of_cells(
        lambda p, t: losses.dense_contrast(p, t, IDS, unit_rows(5, 3, seed=2))
    ),
    "region_contrast": of_cells(lambda p, t: losses.region_contrast(p, p, t, t, IDS, IDS)),
    "pixel_consistency": of_cells(
        lambda p, t: losses.pixel_consistency(p, t, tf.ones((4, 1, 1), tf.bool)).values
    ),
}


@pytest.mark.parametrize("ours", LOSSES_WITH_TARGETS.values(), ids=LOSSES_WITH_TARGETS)
def test_17_targets_get_no_gradient_from_a_loss(ours):
    """A loss moves predictions towards targets, not targets towards predictions."""

    def holds(loss):
        predictions, targets = unit_rows(4, 3), unit_rows(4, 3, seed=1)
        with tf.GradientTape() as tape:
            tape.watch([predictions, targets])
            value = tf.reduce_sum(loss(predictions, targets))
        to_predictions, to_targets = tape.gradient(value, [predictions, targets])
        return np.any(to_predictions) and (to_targets is None or not np.any(to_targets))

    assert not holds(distance_to_live_targets)
    assert holds(ours)


@pytest.mark.parametrize("method", WITH_TARGET)
def test_17_target_networks_get_no_gradient(method, batch):
    """Even a tape that watches the weights of the target networks finds no way to them."""
    model = tiny_methods()[method]()
    views = model.augment(batch)

    def ours():
        return model.loss_terms(*views, training=True)["loss"]

    def against_the_target_network():
        online, target = model.momentum_pairs()[-1]
        maps = [
            network(view.images)["P3"]
            for network, view in zip((online, target), views, strict=True)
        ]
        return tf.reduce_mean(distance_to_live_targets(*maps))

    def holds(loss):
        weights = [
            weight.value
            for online, target in model.momentum_pairs()
            for weight, source in zip(target.weights, online.weights, strict=True)
            if source.trainable
        ]
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = loss()
        return all(each is None for each in tape.gradient(value, weights))

    assert not holds(against_the_target_network)
    assert holds(ours)


@pytest.mark.parametrize("method", ["hapicl_harl", "densecl"])
def test_18_checkpoint_holds_the_whole_run(method, records, tmp_path):
    """What a step reads comes back: target, heads, queues, optimizer, place in the schedules."""
    views = PairedViews(records, batch_size=4, image_size=32)

    def compiled():
        model = tiny_methods()[method]()
        model.momentum = Cosine(0.5, 1.0, 100)
        model.compile(keras.optimizers.SGD(Cosine(0.1, 0.0, 100), momentum=0.9))
        model.optimizer.build(model.trainable_variables)
        return model

    def state(model):
        return [*model.weights, *model.optimizer.variables]

    def online_and_optimizer(model, other):
        online = [*model.trainable_variables, *model.optimizer.variables]
        kept = [variable.numpy() for variable in online]
        restored = [*other.trainable_variables, *other.optimizer.variables]
        for variable, value in zip(restored, kept, strict=True):
            variable.assign(value)

    def ours(model, other):
        checkpoint = Checkpoint(tmp_path / method, views)
        checkpoint.set_model(model)
        checkpoint.save(1)
        assert Checkpoint(tmp_path / method, views).resume(other) == 1

    def holds(save_and_load):
        random = np.random.default_rng(0)
        model, other = compiled(), compiled()
        for variable in state(model):
            variable.assign(random.integers(1, 50, variable.shape).astype(variable.dtype))
        save_and_load(model, other)
        momenta = [float(value_at(m.momentum, m.optimizer.iterations)) for m in (model, other)]
        pairs = zip(state(model), state(other), strict=True)
        same = all(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)
        return same and momenta[0] == momenta[1] > 0.5

    assert not holds(online_and_optimizer)
    assert holds(ours)


def test_18_checkpoints_are_made_at_the_end_of_epochs(records, tmp_path):
    """Two epochs of three steps write twice, not six times."""
    views = PairedViews(records, batch_size=4, image_size=32)

    class EveryStep(Checkpoint):
        def on_train_batch_end(self, batch, logs=None):
            self.save(batch)

    def holds(callback):
        writes = []

        class Counted(callback):
            def save(self, epoch):
                writes.append(epoch)

        counted = Counted(tmp_path, views)
        counted.set_params({"epochs": 2, "steps": 3})
        for epoch in (0, 1):
            for step in (0, 1, 2):
                counted.on_train_batch_end(step)
            counted.on_epoch_end(epoch)
        return writes == [1, 2]

    assert not holds(EveryStep)
    assert holds(Checkpoint)


def two_applies(model, batch):
    """The backbone's weights, then those of the heads."""
    views = model.augment(batch)
    with tf.GradientTape() as tape:
        loss = model.loss_terms(*views, training=True)["loss"]
    variables = model.trainable_variables
    gradients = tape.gradient(loss, variables)
    count = len(model.backbone.trainable_variables)
    model.optimizer.apply(gradients[:count], variables[:count])
    model.optimizer.apply(gradients[count:], variables[count:])


@pytest.mark.parametrize("accumulation_steps", [1, 2])
def test_19_batch_is_one_update_and_the_warm_up_lasts_as_long_as_said(accumulation_steps, batch):
    """After four batches of a warm-up of four the rate is at its peak, not past it."""

    def holds(step):
        model = tiny_methods()["simclr"]()
        model.compile(
            keras.optimizers.SGD(warmup_cosine(0.5, steps=20, warmup_steps=4)),
            accumulation_steps=accumulation_steps,
        )
        model.optimizer.build(model.trainable_variables)
        rates = []
        for _ in range(4):
            rates.append(float(model.optimizer.learning_rate))
            step(model, batch)
        peak = float(model.optimizer.learning_rate)
        return np.allclose([*rates, peak], [0.0, 0.125, 0.25, 0.375, 0.5], atol=1e-6)

    assert not holds(two_applies)
    assert holds(lambda model, batch: model.train_step(batch))


def test_19_run_ends_where_its_schedule_says(run):
    """Nine steps of fit are nine updates: the last of the warm-up."""
    assert int(run.model.optimizer.iterations.numpy()) == 9
    assert float(run.model.optimizer.learning_rate) == pytest.approx(0.1)


def test_20_run_is_traced_once(run):
    """Nine steps with nine values of alpha, beta and momentum are one graph."""

    @tf.function
    def with_python_numbers(alpha, losses):
        return alpha * losses[0] + (1 - alpha) * losses[1]

    for step in range(9):
        with_python_numbers(float(ALPHA(step)), tf.ones(2))

    assert with_python_numbers.experimental_get_tracing_count() == 9
    assert run.traces == 1


def test_20_weights_of_a_traced_step_follow_their_schedules(run):
    """Each step's loss has the alpha and beta of that step, though the graph is the same.

    A number read while tracing would be that of the first step for ever.
    """

    def of_step(step):
        return float(ALPHA(step)), float(BETA(step))

    def of_tracing(step):
        return float(ALPHA(0)), float(BETA(0))

    def holds(weights):
        expected = []
        for step, terms in enumerate(run.steps):
            alpha, beta = weights(step)
            regions = alpha * terms["loss_foreground"] + (1 - alpha) * terms["loss_background"]
            expected.append(beta * terms["loss_whole"] + (1 - beta) * regions)
        return np.allclose(expected, [terms["loss_instance"] for terms in run.steps], atol=1e-4)

    assert len(run.steps) == 9
    assert not holds(of_tracing)
    assert holds(of_step)


def test_21_small_gradients_survive_half_precision(batch):
    """Under mixed_float16 a loss of weight 1e-7 moves the bias of its head from 0.

    Its gradient lies below the smallest float16 unless the loss is scaled up first. Steps that
    overflow are skipped, with half the scale for the next.
    """
    keras.config.set_dtype_policy("mixed_float16")

    def unscaled(model):
        model.compile(keras.optimizers.SGD(1.0), auto_scale_loss=False)

    def ours(model):
        model.compile(keras.optimizers.SGD(1.0))

    def holds(compile_model):
        model = tiny_hapicl(pixel_weight=1e-7)
        compile_model(model)
        bias = model.branches["pixel"].pixel_head.layers[-1].bias
        while int(model.optimizer.iterations.numpy()) == 0:
            model.train_step(batch)
        return bool(np.any(bias.numpy()))

    assert not holds(unscaled)
    assert holds(ours)


def test_21_half_precision_computes_in_half_precision(batch):
    """Maps are float16 and weights float32; casting gradients alone leaves maps in float32."""

    def gradients_cast():
        return tiny_pyramid()

    def policy():
        keras.config.set_dtype_policy("mixed_float16")
        return tiny_pyramid()

    def holds(make):
        network = make()
        images = tf.cast(batch["view1"], tf.float32)
        kinds = {weight.dtype for weight in network.weights}
        return network(images)["P3"].dtype == tf.float16 and kinds == {"float32"}

    assert not holds(gradients_cast)
    assert holds(policy)


def test_22_order_and_views_change_from_epoch_to_epoch(records):
    """Three epochs hold the same photographs, each in another order and cut in other places."""

    def decoded_once():
        numbers = tf.data.Dataset.range(12).shuffle(12, seed=0)
        cut = numbers.map(lambda number: (number, tf.random.uniform((), seed=1))).cache()
        items = list(cut.repeat(3).as_numpy_iterator())
        return [items[start : start + 12] for start in (0, 12, 24)]

    def ours():
        whole = RandomResizedCrop((1.0, 1.0), (4 / 3, 4 / 3), flip_probability=0.0)
        views = PairedViews(records, batch_size=4, image_size=16, crop1=whole, crop2=whole)
        batches = list(views.from_epoch(0).take(9).as_numpy_iterator())
        items = [
            (batch["view1"][row].tobytes(), batch["draws1"][row].tobytes())
            for batch in batches
            for row in range(4)
        ]
        return [items[start : start + 12] for start in (0, 12, 24)]

    def holds(epochs):
        orders = {tuple(photograph for photograph, _ in epoch) for epoch in epochs}
        photographs = {frozenset(order) for order in orders}
        cuts = {cut for epoch in epochs for _, cut in epoch}
        return len(orders) == 3 and len(photographs) == 1 and len(cuts) == 36

    assert not holds(decoded_once())
    assert holds(ours())


def test_23_worker_decodes_its_own_rows_only(records, monkeypatch):
    """Of twelve photographs each of two workers decodes six, and together they have all rows."""
    views = PairedViews(records, batch_size=4, image_size=16)
    decoded = []
    decode = decoding.decode_photograph

    def decode_and_count(*arguments):
        decoded.append(None)
        return decode(*arguments)

    monkeypatch.setattr(decoding, "decode_photograph", decode_and_count)

    def sharded_after_decoding(worker):
        # One pass of the stream, since the stream itself is read ahead without an end.
        everything = views._one_pass(tf.constant(0, tf.int64), 0, 4).unbatch()
        return everything.enumerate().filter(lambda number, _: number % 4 // 2 == worker)

    def ours(worker):
        return views._one_pass(tf.constant(0, tf.int64), 2 * worker, 2 * worker + 2).unbatch()

    def holds(rows_of_worker):
        counts = []
        for worker in (0, 1):
            decoded.clear()
            rows = len(list(rows_of_worker(worker)))
            counts.append((rows, len(decoded)))
        return counts == [(6, 6), (6, 6)]

    assert not holds(sharded_after_decoding)
    assert holds(ours)


def test_23_rows_of_the_workers_are_the_global_batch(records):
    """Side by side, the batches of two workers are those of one; nobody has another's rows."""
    views = PairedViews(records, batch_size=4, image_size=16)

    def take(**arguments):
        return list(views.from_epoch(0, **arguments).take(3).as_numpy_iterator())

    whole_batches = take()

    def everybody_has_everything(worker):
        return [{key: rows[:2] for key, rows in batch.items()} for batch in whole_batches]

    def ours(worker):
        return take(worker=worker, workers=2)

    def holds(of_worker):
        return all(
            np.array_equal(np.concatenate([first[key], second[key]]), whole[key])
            for first, second, whole in zip(of_worker(0), of_worker(1), whole_batches, strict=True)
            for key in whole
        )

    assert not holds(everybody_has_everything)
    assert holds(ours)


def cut_by_harl_tf(image, draws):
    """A view of an image, by numbers drawn in [0, 1)."""
    height, width = image.shape[:2]
    crop = RandomResizedCrop(area=(0.5, 1.0))
    window = geometry.draw_window(draws.tolist(), height, width, crop)
    return geometry.cut_image(image, window, np.empty((16, 16, 3), np.uint8))


def never_mirrored(image, draws):
    draws[-1] = 1.0
    return cut_by_harl_tf(image, draws)


def also_upside_down(image, draws):
    view = cut_by_harl_tf(image, draws)
    return view[::-1] if draws[0] < 0.5 else view


@pytest.mark.parametrize("defective", [never_mirrored, also_upside_down])
def test_24_32_half_of_the_views_are_mirrored_and_none_is_upside_down(defective):
    """Red grows to the right and green downwards; of 60 views red falls in half, green in none."""
    image = np.zeros((40, 40, 3), np.uint8)
    image[..., 0], image[..., 1] = 6 * np.arange(40), 6 * np.arange(40)[:, None]

    def holds(cut):
        random = np.random.default_rng(0)
        draws = random.uniform(0, 1 - 1e-6, (60, geometry.DRAWS)).astype(np.float32)
        views = np.stack([cut(image, each.copy()) for each in draws]).astype(int)
        mirrored = views[:, :, 0, 0] > views[:, :, -1, 0]
        upside_down = views[:, 0, :, 1] > views[:, -1, :, 1]
        return 0.3 < mirrored.mean() < 0.7 and not upside_down.any()

    assert not holds(defective)
    assert holds(cut_by_harl_tf)


def test_24_views_are_cut_before_they_are_scaled():
    """Windows in a photograph of 2:1 have ratios from 3:4 to 4:3 in it, before any scaling."""

    def of_a_squashed_photograph(draws, crop):
        _, _, height, width, _ = geometry.draw_window(draws, 224, 224, crop)
        return height * 200 / 224, width * 400 / 224

    def ours(draws, crop):
        return geometry.draw_window(draws, 200, 400, crop)[2:4]

    def holds(window):
        random, ratios = np.random.default_rng(0), []
        for _ in range(50):
            draws = random.uniform(size=geometry.DRAWS).tolist()
            height, width = window(draws, RandomResizedCrop())
            ratios.append(width / height)
        return min(ratios) > 0.97 * 3 / 4 and max(ratios) < 1.03 * 4 / 3

    assert not holds(of_a_squashed_photograph)
    assert holds(ours)


def test_24_colors_stay_within_those_of_a_picture():
    """Made brighter, white stays white: clipping is at the top of the range that pictures have."""

    def clipped_at_255_of_1(images):
        return tf.clip_by_value(images / 255.0 * 1.8, 0, 255) * 255.0

    def ours(images):
        draws = np.zeros((1, random_color.DRAWS), np.float32)
        draws[:, random_color.Draw.BRIGHTNESS] = 1 - 2**-24
        return RandomColor(0.8, 0, 0, 0, grayscale_probability=0, blur_probability=0)(images, draws)

    def holds(brighten):
        return float(tf.reduce_max(brighten(tf.fill((1, 4, 4, 3), 255.0)))) == 255.0

    assert not holds(clipped_at_255_of_1)
    assert holds(ours)


def test_24_views_are_blurred_and_solarized():
    """BYOL's colours blur every first view and solarise some of the second ones."""
    defective = (RandomColor(blur_probability=0.0), RandomColor(blur_probability=0.0))

    def holds(colors):
        edge = np.zeros((1, 224, 224, 3), np.uint8)
        edge[:, :, 112:] = 255
        draws = np.full((1, random_color.DRAWS), 0.9, np.float32)
        draws[:, [random_color.Draw.SOLARIZE]] = 0.1
        first, second = (color(edge, draws).numpy() for color in colors)
        return len(np.unique(first[0, 0, :, 0].round())) > 2 and second[0, 0, -1, 0] == 0

    assert not holds(defective)
    assert holds(harl_tf.layers.byol_colors())


def test_25_every_photograph_has_its_own_mask_whatever_it_is_called(tmp_path):
    """A class "train" with a picture "train.JPEG.png": the record holds both, side by side."""
    folder, expected = tmp_path / "train", {}
    for index, name in enumerate(["train/train.JPEG.png", "strains/train.png"]):
        image = np.full((40 + 8 * index, 48, 3), 40, np.uint8)
        image[8:30, 8 + 10 * index : 30 + 10 * index] = (250, 60, 40)
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(tf.io.encode_png(image).numpy())
        expected[name] = image.shape[:2]

    def by_replacing(name):
        path = str(folder / name)
        mask = path.replace("train", "mask").replace("JPEG", "png")
        return mask == str(tmp_path / "mask" / name)

    mask_generation.convert(folder, tmp_path / "records", progress=False)
    parsed = {}
    for file in (tmp_path / "records").glob("*.tfrecord*"):
        for record in tf.data.TFRecordDataset(str(file)):
            fields = schema.parse(record)
            parsed[fields[schema.NAME].numpy().decode()] = fields

    def in_one_record(name):
        image = schema.decode_image(parsed[name][schema.IMAGE]).numpy()
        mask = schema.decode_mask(parsed[name][schema.MASK]).numpy()
        red = image[..., 0] > 150
        return mask.shape == expected[name] and (mask == red).mean() > 0.9

    def holds(has_its_mask):
        return all(has_its_mask(name) for name in expected)

    assert not holds(by_replacing)
    assert holds(in_one_record)


def test_26_probe_is_not_trained_on_what_it_is_tested_on(records):
    """The two halves of a set have no photograph in common and leave none out."""

    def count_of(keep):
        data = harl_tf.data.labeled_images(records, image_size=8, keep=keep)
        return {image.tobytes() for images, _ in data.as_numpy_iterator() for image in images}

    def same_set_twice():
        return count_of(harl_tf.data.in_second_half), count_of(harl_tf.data.in_second_half)

    def ours():
        return count_of(harl_tf.data.in_first_half), count_of(harl_tf.data.in_second_half)

    def holds(halves):
        train, test = halves()
        return train and test and not train & test and len(train | test) == 12

    assert not holds(same_set_twice)
    assert holds(ours)


def test_28_31_every_module_can_be_imported(tmp_path, monkeypatch):
    """Nothing is named that is not there."""
    package = tmp_path / "names_missing_modules"
    package.mkdir()
    (package / "__init__.py").write_text("from names_missing_modules import method\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def holds(name):
        try:
            package = importlib.import_module(name)
            for module in pkgutil.walk_packages(package.__path__, f"{name}."):
                if not module.name.endswith("__main__"):
                    importlib.import_module(module.name)
        except ImportError:
            return False
        return True

    assert not holds("names_missing_modules")
    assert holds("harl_tf")
    assert holds("mask_generation")


def test_29_models_of_different_settings_live_side_by_side():
    """A second model with another alpha leaves the first as it was made."""
    flags = {}

    class ReadsFlags:
        def __init__(self, alpha):
            flags["alpha"] = alpha

        def settings(self):
            return {"foreground_weight": flags["alpha"]}

    def holds(make):
        first, second = make(0.25), make(0.75)
        return [each.settings()["foreground_weight"] for each in (first, second)] == [0.25, 0.75]

    assert not holds(ReadsFlags)
    assert holds(harl_tf.methods.RegionBootstrap)
    assert holds(lambda alpha: harl_tf.methods.PixelContrast(foreground_weight=alpha))


def run_at_import(node):
    """The nodes of a module that run when it is imported: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield child
            yield from run_at_import(child)


def test_29_importing_reads_no_configuration():
    """No module reads flags, command line or environment when it is imported.

    Flags belong to the command line alone, which hands arguments on. The one exception hands
    TensorFlow a default of its own setting, which nothing else here depends on.
    """

    def holds(source):
        nodes = list(run_at_import(ast.parse(source)))
        words = {getattr(node, "id", None) or getattr(node, "attr", None) for node in nodes}
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                words.add(str(node.module).split(".")[0])
            elif isinstance(node, ast.Import):
                words |= {alias.name.split(".")[0] for alias in node.names}
        return not words & {"absl", "FLAGS", "argv", "environ", "getenv", "tensorflow_addons"}

    library = pathlib.Path(harl_tf.__file__).parent
    exceptions = {*library.glob("commands/**/*.py"), library / "__main__.py"}
    exceptions.add(library / "onednn.py")
    assert not holds("from absl import flags\nFLAGS = flags.FLAGS\nRATE = FLAGS.base_lr\n")
    for file in set(library.rglob("*.py")) - exceptions:
        assert holds(file.read_text(encoding="utf-8")), file


@pytest.mark.parametrize("units", [8, 24])
def test_30_heads_have_the_width_they_are_given(units):
    """Projector and predictor end with as many units as asked for, in a dense layer."""

    def width_ignored():
        head = [keras.layers.Dense(32), keras.layers.Dense(256)]
        return [keras.Sequential([keras.Input((16,)), *head, keras.layers.BatchNormalization()])]

    def ours():
        branch = harl_tf.BYOL(tiny_pyramid(), units, 32).branches["instance"]
        return branch.projector, branch.predictor

    def holds(heads):
        return all(
            head.output_shape == (None, units) and isinstance(head.layers[-1], keras.layers.Dense)
            for head in heads()
        )

    assert not holds(width_ignored)
    assert holds(ours)
