"""Time and memory of a step as batch, views, maps and replicas grow.

    python -m benchmarks.speed.scaling [--parts=batch,image,map,replicas,loss]

Every cell of the table runs in its own process, so that its peak memory is its own; the cells of a
part take turns, by the rules of ``benchmarks.harness.side_by_side``. ``megabytes`` is the peak
resident memory minus the memory after networks and batch have been created.

``batch``, ``image``, ``replicas``: BYOL, ResNet-18. ``map``: SimCLR, HAPiCL, and HAPiCL with 16
drawn cells per region, ResNet-18 at 224 pixels with 7², 14² and 28² cells. ``loss``: the pixel loss
and its gradient alone, on 256-dimensional embeddings, with all cells and with 16 drawn per region.
Writes ``scaling_PART.csv`` to ``--results``; ``benchmarks.speed.scaling_plot`` plots them.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import tensorflow as tf
from absl import app, flags

from benchmarks.harness import arguments, entries, results, side_by_side, steps
from benchmarks.harness.contestant import serve, steady
from benchmarks.harness.step_batch import make_batch
from benchmarks.harness.summary import summary
from benchmarks.harness.usage import forget_peak, resident_megabytes
from harl_tf import backbones, losses, methods
from harl_tf.pretraining.cells import all_cells, sample_cells, take

FLAGS = flags.FLAGS
arguments.define("results", "rounds", "contestant")
flags.DEFINE_list("parts", "batch,image,map,replicas,loss", "What to measure.")

DRAWN = 16
"""Number of cells drawn from each region, if cells are drawn."""

Cell = dict[str, Any]
"""A contestant of this command; its JSON is its name."""


def cells(part: str) -> Iterator[list[Cell]]:
    """The cells of a part, in groups that take turns."""
    if part == "batch":
        yield [{"method": "BYOL", "batch": rows, "image_size": 96} for rows in (8, 16, 32, 64, 128)]
    elif part == "image":
        yield [
            {"method": "BYOL", "batch": 16, "image_size": side} for side in (64, 96, 128, 160, 224)
        ]
    elif part == "replicas":
        yield [
            {"method": "BYOL", "batch": 32, "image_size": 96, "replicas": count}
            for count in (1, 2, 4)
        ]
    elif part == "map":
        for side in (7, 14, 28):
            yield [
                {"method": method, "batch": 8, "image_size": 224, "map": side}
                for method in ("SimCLR", "HAPiCL", "HAPiCL drawn")
            ]
    else:
        for rows in (8, 32, 128):
            yield [
                {"loss": "drawn" if drawn else "all", "batch": rows, "map": side}
                for side in (7, 14, 28)
                for drawn in (False, True)
            ]


def model_step(cell: Cell) -> Callable[[], int]:
    """A training step."""
    replicas = cell.get("replicas", 1)
    if replicas > 1:
        (processor,) = tf.config.list_physical_devices("CPU")
        logical = [tf.config.LogicalDeviceConfiguration()] * replicas
        tf.config.set_logical_device_configuration(processor, logical)
    names = [device.name for device in tf.config.list_logical_devices()]
    strategy = (
        tf.distribute.MirroredStrategy(names) if replicas > 1 else tf.distribute.get_strategy()
    )
    method, *how = cell["method"].split()
    settings = {"pixel": methods.PixelContrast(cells_per_region=DRAWN)} if how else {}
    with strategy.scope():
        stride = cell["image_size"] // cell["map"] if "map" in cell else 32
        backbone = backbones.resnet(18, output_stride=stride)
        model = getattr(harl_tf, method)(backbone, **settings)
        steps.prepare(model)
    data = steps.same_batch(cell["batch"], cell["image_size"])
    one_step = steps.step_of(model, strategy.experimental_distribute_dataset(data))

    def step() -> int:
        one_step()
        return int(cell["batch"])

    return step


def loss_step(cell: Cell, units: int = 256) -> Callable[[], int]:
    """The pixel loss in one direction, and its gradient."""
    rows, side = cell["batch"], cell["map"]
    # Two tensors, because slicing the views from one tensor would copy them.
    features = [
        tf.random.stateless_normal((rows, side * side, units), (view, 1)) for view in (0, 1)
    ]
    noise = tf.random.stateless_uniform((2, rows, side * side), (0, 2))
    batch = make_batch(rows, 8 * side)
    labels = [
        losses.cell_labels(tf.constant(batch[f"mask{view}"]), (side, side)) for view in (1, 2)
    ]

    @tf.function
    def gradient(scale: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(scale)
            taking_part, vectors = [], []
            for view in (0, 1):
                drawn = cell["loss"] == "drawn"
                chosen = sample_cells(labels[view], DRAWN, noise[view]) if drawn else None
                taking_part.append(chosen or all_cells(labels[view]))
                # The scale stands in for the head, which sees only the cells that take part.
                vectors.append(take(features[view], taking_part[view]) * scale)
            (queries, keys), (first, second) = vectors, taking_part
            loss, _ = losses.pixel_contrast(
                queries, keys, first.regions, second.regions, first.valid, second.valid
            )
            loss = tf.reduce_mean(loss)
        return tape.gradient(loss, scale)

    scale = tf.ones(units)

    def step() -> int:
        gradient(scale).numpy()
        return int(rows)

    return step


def take_part() -> None:
    """Runs as a cell's process."""
    cell = json.loads(FLAGS.contestant)
    keras.utils.set_random_seed(0)
    step = loss_step(cell) if "loss" in cell else model_step(cell)
    forget_peak()
    before = resident_megabytes()
    serve(steady(step, seconds=2.0), before=before, tensorflow=tf.__version__)


def measure(part: str) -> list[dict[str, Any]]:
    """The rows of a part."""
    rows = []
    for group in cells(part):
        contestants = {json.dumps(cell): cell for cell in group}
        entered = [entries.ours("benchmarks.speed.scaling", name) for name in contestants]
        result = side_by_side.run(entered, FLAGS.rounds)
        before = {name: facts.pop("before") for name, facts in result.facts.items()}
        for row in summary(result, next(iter(contestants))):
            name, each = row.pop("contestant"), float(row["per_second"])
            megabytes = row["peak_megabytes"] - before[name]
            step = 1e3 * contestants[name]["batch"] / each
            own_columns = {"milliseconds": f"{step:.1f}", "megabytes": megabytes}
            compared = ("reference", "ratio", "ratio_quartiles")
            kept = {key: value for key, value in row.items() if key not in compared}
            rows.append({**contestants[name], **own_columns, **kept})
    return rows


def main(_: list[str]) -> None:
    """Measures, or runs as a contestant."""
    if FLAGS.contestant:
        take_part()
        return
    for part in FLAGS.parts:
        results.write(f"scaling_{part}.csv", measure(part))


if __name__ == "__main__":
    app.run(main)
