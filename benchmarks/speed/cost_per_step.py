"""Time of a training step of each method, as a ratio to the bare network on the same batch.

The bare step is the two views of the batch through the backbone in one pass, forward and backward,
from the mean of the pooled last map; no head, no loss, no optimizer. Each method's step is what
``fit`` runs on a host without GPUs, where the stream brings coloured views: networks, losses,
metrics, SGD, target network. Methods take turns, step by step, so that a busy moment of the machine
falls on all of them; ratios are formed within a turn, and their median is reported with its
quartiles.

    python -m benchmarks.speed.cost_per_step [--image_size=96] [--batch_size=32] [--turns=15]

Owns the measurement only. Two claims are read off its table: HAPiCL with an instance branch against
that branch alone, and what a target network costs.
"""

import csv
import os
import pathlib
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks.harness.step_batch import make_batch
from harl_tf import backbones, methods, pretraining

FLAGS = flags.FLAGS
flags.DEFINE_integer("image_size", 96, "Side of the views, in pixels.")
flags.DEFINE_integer("batch_size", 32, "Photographs per batch.")
flags.DEFINE_integer("turns", 15, "Turns; in each, every method makes one step.")
flags.DEFINE_integer("depth", 18, "Depth of the ResNet.")
flags.DEFINE_integer("output_stride", 16, "Pixels per cell of the last map.")
flags.DEFINE_string("policy", "float32", "Dtype policy.")
flags.DEFINE_list("only", [], "Methods to measure. Default: all.")
flags.DEFINE_string("results", "benchmarks/results/cost_per_step.csv", "Where the table goes.")

PAIRS = {
    "hapicl": "simclr",
    "hapicl_moco": "moco_v2_symmetric",
    "hapicl_byol": "byol",
    "hapicl_harl": "harl",
}
"""HAPiCL with an instance branch, and the method that this branch is by itself."""


def contestants() -> dict:
    """Every method at its own default widths, on a backbone of its own."""

    def backbone() -> keras.Model:
        return backbones.resnet(FLAGS.depth, FLAGS.output_stride)

    def hapicl(instance: pretraining.Branch) -> harl_tf.HAPiCL:
        return harl_tf.HAPiCL(backbone(), instance)

    moco = {"queue_size": 4096}
    nt_xent = methods.InstanceContrast
    return {
        "simclr": lambda: harl_tf.SimCLR(backbone()),
        "hapicl": lambda: hapicl(nt_xent()),
        "hapicl_sampled": lambda: harl_tf.HAPiCL(
            backbone(), nt_xent(), methods.PixelContrast(cells_per_region=8)
        ),
        "moco_v2": lambda: harl_tf.MoCoV2(backbone(), **moco),
        "moco_v2_symmetric": lambda: harl_tf.MoCoV2(backbone(), **moco, symmetric=True),
        "hapicl_moco": lambda: hapicl(methods.MomentumContrast(**moco, symmetric=True)),
        "byol": lambda: harl_tf.BYOL(backbone()),
        "hapicl_byol": lambda: hapicl(methods.Bootstrap()),
        "harl": lambda: harl_tf.HARL(backbone()),
        "hapicl_harl": lambda: hapicl(methods.RegionBootstrap()),
        "simsiam": lambda: harl_tf.SimSiam(backbone()),
        "pixpro": lambda: harl_tf.PixPro(backbone()),
        "detcon": lambda: harl_tf.DetCon(backbone()),
        "densecl": lambda: harl_tf.DenseCL(backbone(), **moco),
    }


def bare_step(batch: dict[str, tf.Tensor]) -> Callable[[], tf.Tensor]:
    """Forward and backward of the backbone alone on both views."""
    backbone = backbones.resnet(FLAGS.depth, FLAGS.output_stride)
    images = tf.concat([batch["colored1"], batch["colored2"]], axis=0)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            maps = backbone(images, training=True)
            loss = tf.reduce_mean(tf.cast(list(maps.values())[-1], tf.float32))
        gradients = tape.gradient(loss, backbone.trainable_variables)
        return loss + tf.add_n([tf.reduce_sum(gradient) for gradient in gradients])

    return step


def method_step(
    make: Callable[[], pretraining.Pretraining], batch: dict[str, tf.Tensor]
) -> Callable[[], tf.Tensor]:
    """One training step of a method, as ``fit`` makes it."""
    model = make()
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9))
    model.optimizer.build(model.trainable_variables)
    function = model.make_train_function()
    stream = iter(tf.data.Dataset.from_tensors(batch).repeat())
    return lambda: function(stream)["loss"]


def seconds(step: Callable[[], tf.Tensor]) -> float:
    """Wall time of a step, its result awaited."""
    start = time.perf_counter()
    float(step())
    return time.perf_counter() - start


def measure() -> dict[str, np.ndarray]:
    """Seconds (turns,) of every method and of the bare step."""
    arrays = make_batch(FLAGS.batch_size, FLAGS.image_size)
    batch = {key: tf.constant(value) for key, value in arrays.items()}
    chosen = {
        name: make for name, make in contestants().items() if not FLAGS.only or name in FLAGS.only
    }
    steps = {"bare": bare_step(batch)}
    steps |= {name: method_step(make, batch) for name, make in chosen.items()}
    for name, step in steps.items():
        print(f"{name}: first step {seconds(step):.1f} s", flush=True)
        seconds(step)
    times: dict[str, list[float]] = {name: [] for name in steps}
    order = np.random.default_rng(0)
    for _ in range(FLAGS.turns):
        for name in order.permutation(list(steps)):
            times[name].append(seconds(steps[name]))
    return {name: np.array(values) for name, values in times.items()}


def main(_: list[str]) -> None:
    """Measures, prints and writes the table."""
    keras.config.set_dtype_policy(FLAGS.policy)
    keras.utils.set_random_seed(0)
    times = measure()
    rows = []
    for name, values in times.items():
        low, middle, high = np.percentile(values / times["bare"], [25, 50, 75])
        row = {"method": name, "milliseconds": round(float(np.median(values)) * 1e3, 1)}
        row |= {"ratio": round(middle, 3), "quartile1": round(low, 3), "quartile3": round(high, 3)}
        alone = times.get(PAIRS.get(name, ""))
        row["ratio_to_branch_alone"] = (
            "" if alone is None else round(float(np.median(values / alone)), 3)
        )
        rows.append(row)
        print(" ".join(f"{key}={value}" for key, value in row.items()), flush=True)
    path = pathlib.Path(FLAGS.results)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    app.run(main)
