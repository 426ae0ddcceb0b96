"""Time of a training step of each method, relative to the bare network on the same batch.

The bare step passes the two views of the batch through the backbone in one pass, forward and
backward from the mean of the pooled last map, without heads, loss or optimizer. Each method's step
is what ``fit`` runs on a host without GPUs, where the stream provides color-augmented views:
networks, losses, metrics, SGD, target network. Methods take turns, step by step, so that a busy
moment of the machine affects all of them; ratios are computed within a turn, and their median is
reported with its quartiles.

    python -m benchmarks.speed.cost_per_step [--image_size=96] [--batch_size=32] [--turns=15]

Owns only the measurement. Its table supports two claims: the cost of HAPiCL with an instance branch
compared with that branch alone, and the cost of a target network. Writes ``--table`` to
``--results``.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import numpy as np
import tensorflow as tf
from absl import app, flags
from numpy.typing import NDArray

from benchmarks.harness import arguments, results, steps
from benchmarks.harness.step_batch import make_batch
from harl_tf import backbones, methods
from harl_tf.pretraining import Branch, Pretraining

FLAGS = flags.FLAGS
arguments.define("results")
flags.DEFINE_integer("image_size", 96, "Side of the views, in pixels.")
flags.DEFINE_integer("batch_size", 32, "Photographs per batch.")
flags.DEFINE_integer("turns", 15, "Turns; in each, every method takes one step.")
flags.DEFINE_integer("depth", 18, "Depth of the ResNet.")
flags.DEFINE_integer("output_stride", 16, "Pixels per cell of the last map.")
flags.DEFINE_string("policy", "float32", "Dtype policy.")
flags.DEFINE_list("only", [], "Methods to measure. Default: all.")
flags.DEFINE_string("table", "cost_per_step.csv", "Name of the table.")

BARE = "bare"
PAIRS = {
    "hapicl": "simclr",
    "hapicl_moco": "moco_v2_symmetric",
    "hapicl_byol": "byol",
    "hapicl_harl": "harl",
}
"""HAPiCL with an instance branch, and the method that consists of that branch alone."""

Step = Callable[[], object]


def contestants() -> dict[str, Callable[[], Pretraining]]:
    """Every method with its default widths, on its own backbone."""

    def backbone() -> keras.Model:
        return backbones.resnet(FLAGS.depth, FLAGS.output_stride)

    def hapicl(instance: Branch) -> harl_tf.HAPiCL:
        return harl_tf.HAPiCL(backbone(), instance)

    keys: dict[str, Any] = {"queue_size": 4096}
    nt_xent = methods.InstanceContrast
    return {
        "simclr": lambda: harl_tf.SimCLR(backbone()),
        "hapicl": lambda: hapicl(nt_xent()),
        "hapicl_sampled": lambda: harl_tf.HAPiCL(
            backbone(), nt_xent(), methods.PixelContrast(cells_per_region=8)
        ),
        "moco_v2": lambda: harl_tf.MoCoV2(backbone(), **keys),
        "moco_v2_symmetric": lambda: harl_tf.MoCoV2(backbone(), **keys, symmetric=True),
        "hapicl_moco": lambda: hapicl(methods.MomentumContrast(**keys, symmetric=True)),
        "byol": lambda: harl_tf.BYOL(backbone()),
        "hapicl_byol": lambda: hapicl(methods.Bootstrap()),
        "harl": lambda: harl_tf.HARL(backbone()),
        "hapicl_harl": lambda: hapicl(methods.RegionBootstrap()),
        "simsiam": lambda: harl_tf.SimSiam(backbone()),
        "pixpro": lambda: harl_tf.PixPro(backbone()),
        "detcon": lambda: harl_tf.DetCon(backbone()),
        "densecl": lambda: harl_tf.DenseCL(backbone(), **keys),
    }


def bare_step() -> Step:
    """Forward and backward pass of the backbone alone on both views."""
    batch = make_batch(FLAGS.batch_size, FLAGS.image_size)
    backbone = backbones.resnet(FLAGS.depth, FLAGS.output_stride)
    images = tf.concat([batch["colored1"], batch["colored2"]], axis=0)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            maps = backbone(images, training=True)
            loss = tf.reduce_mean(tf.cast(list(maps.values())[-1], tf.float32))
        gradients = tape.gradient(loss, backbone.trainable_variables)
        return loss + tf.add_n([tf.reduce_sum(gradient) for gradient in gradients])

    return lambda: float(step())


def method_step(make: Callable[[], Pretraining]) -> Step:
    """One training step of a method, as in ``fit``."""
    model = make()
    steps.prepare(model)
    return steps.step_of(model, steps.same_batch(FLAGS.batch_size, FLAGS.image_size))


def seconds(step: Step) -> float:
    """Wall time of a step."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def measure() -> dict[str, NDArray[np.float64]]:
    """Seconds (turns,) for every method and the bare step."""
    made = {BARE: bare_step()}
    for name, make in contestants().items():
        if not FLAGS.only or name in FLAGS.only:
            made[name] = method_step(make)
    for name, step in made.items():
        print(f"{name}: first step {seconds(step):.1f} s", flush=True)
        seconds(step)
    times: dict[str, list[float]] = {name: [] for name in made}
    order = np.random.default_rng(0)
    for _ in range(FLAGS.turns):
        for name in order.permutation(list(made)):
            times[name].append(seconds(made[name]))
    return {name: np.array(values) for name, values in times.items()}


def rows(times: dict[str, NDArray[np.float64]]) -> Iterator[dict[str, object]]:
    """The rows of the table."""
    for name, values in times.items():
        low, middle, high = np.percentile(values / times[BARE], [25, 50, 75])
        alone = times.get(PAIRS.get(name, ""))
        yield {
            "method": name,
            "milliseconds": f"{1e3 * np.median(values):.1f}",
            "ratio": f"{middle:.3f}",
            "quartile1": f"{low:.3f}",
            "quartile3": f"{high:.3f}",
            "ratio_to_branch_alone": "" if alone is None else f"{np.median(values / alone):.3f}",
        }


def main(_: list[str]) -> None:
    """Measures and writes the table."""
    keras.config.set_dtype_policy(FLAGS.policy)
    keras.utils.set_random_seed(0)
    results.write(FLAGS.table, rows(measure()))


if __name__ == "__main__":
    app.run(main)
