"""An ImageNet run of 100 epochs with a ResNet-50 on 1, 8 and 64 GPUs, as arithmetic.

    python -m benchmarks.profile.imagenet_model

No GPU was at hand: what a GPU does is taken from a published measurement and multiplied by ratios
measured here; what a host must do is measured here. Reads ``input_pipeline.csv``,
``cost_per_step_resnet50.csv`` and ``training_step_*.csv`` of ``--results``, measures the time for
which a photograph holds the interpreter's lock, prints the table and the checks, and writes
``imagenet_model.csv``.
"""

import csv
import os
import pathlib
import tempfile
import time
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import numpy as np
import skimage.data
from absl import app, flags
from PIL import Image

import mask_generation
from benchmarks.harness import side_by_side
from benchmarks.harness.arithmetic import FORWARD_PASSES, MULTIPLICATIONS
from harl_tf import backbones

FLAGS = flags.FLAGS
flags.DEFINE_string("results", "benchmarks/results", "Folder of the tables.")

PHOTOGRAPHS = 1_281_167
PHOTOGRAPH_BYTES = 110_000
"""138 GB of JPEGs (image-net.org, ILSVRC 2012) over their number, rounded up."""

EPOCHS = 100
GLOBAL_BATCH = 4096
SUPERVISED = {1: 2375.0, 8: 17400.0}
"""Images a second of ResNet-50 v1.5 at 224 pixels on A100 40 GB, mixed precision with XLA, from
records: NVIDIA DeepLearningExamples, TensorFlow/Classification/ConvNets/resnet50v1.5, README."""

GPUS_PER_HOST = 8
NETWORKS = {"10 Gb/s": 1.25e9, "100 Gb/s": 12.5e9}


class Measured(NamedTuple):
    """What the model takes from measurements.

    Attributes:
        ratio: A step of HAPiCL divided by the bare network on both views.
        core_seconds: Processor time of a photograph's views.
        lock_seconds: For which of it no other thread of the process can do so.
        parameters: Trainable ones.
    """

    ratio: float
    core_seconds: float
    lock_seconds: float
    parameters: int


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a table."""
    return side_by_side.read(pathlib.Path(FLAGS.results, name))


def lock_seconds(count: int = 1024, rows: int = 64, batches: int = 400) -> float:
    """Time of a photograph so small that there is nothing to do but call."""
    with tempfile.TemporaryDirectory() as folder:
        photographs = pathlib.Path(folder, "photographs")
        photographs.mkdir()
        small = Image.fromarray(skimage.data.astronaut()).resize((8, 8))
        for index in range(count):
            small.save(photographs / f"{index}.jpg")
        records = pathlib.Path(folder, "records")
        mask_generation.convert(photographs, records, "fast", flagged="keep", progress=False)
        stream = iter(harl_tf.data.PairedViews(records, rows, image_size=8).from_epoch(0))
        for _ in range(20):
            next(stream)
        start = time.perf_counter()
        for _ in range(batches):
            next(stream)
        return (time.perf_counter() - start) / (batches * rows)


def measured() -> Measured:
    """Gathers it."""
    steps = {row["method"]: row for row in rows_of("cost_per_step_resnet50.csv")}
    inputs = side_by_side.by_contestant(rows_of("input_pipeline.csv"))
    model = harl_tf.HAPiCL(backbones.resnet(50))
    return Measured(
        float(steps["hapicl"]["ratio"]),
        float(inputs["harl_tf views"]["cpu_milliseconds_each"]) / 1e3,
        lock_seconds(),
        sum(int(np.prod(each.shape)) for each in model.trainable_variables),
    )


def predict(gpus: int, found: Measured) -> dict[str, str]:
    """A row of the table."""
    hosts = -(-gpus // GPUS_PER_HOST)
    per_gpu = SUPERVISED[min(gpus, GPUS_PER_HOST)] / min(gpus, GPUS_PER_HOST)
    pairs = gpus * per_gpu / (2 * found.ratio)
    per_host = pairs / hosts
    batch = min(GLOBAL_BATCH, 512 * gpus)
    step = batch / pairs
    # A ring passes every gradient around twice, less one part; each host's network carries it once.
    exchanged = 4 * found.parameters * 2 * (hosts - 1) / hosts
    network = {f"seconds_of_exchange_at_{k}": f"{exchanged / v:.3f}" for k, v in NETWORKS.items()}
    return {
        "gpus": str(gpus),
        "hosts": str(hosts),
        "global_batch": str(batch),
        "pairs_per_second": f"{pairs:.0f}",
        "hours": f"{EPOCHS * PHOTOGRAPHS / pairs / 3600:.1f}",
        "step_seconds": f"{step:.3f}",
        "cores_for_input_per_host": f"{per_host * found.core_seconds:.1f}",
        "share_of_one_interpreter": f"{per_host * found.lock_seconds:.2f}",
        "megabytes_read_per_second_and_host": f"{per_host * PHOTOGRAPH_BYTES / 1e6:.0f}",
        **network,
    }


def check() -> None:
    """The model's own steps on what was measured: arithmetic alone from one setting to another."""
    rates = {}
    for setting in MULTIPLICATIONS:
        rows = side_by_side.by_contestant(rows_of(f"training_step_{setting}.csv"))
        for contestant, row in rows.items():
            rates[setting, contestant] = float(row["per_second"])
    small, large = MULTIPLICATIONS
    for contestant in ("harl_tf BYOL float32", "harl_tf SimCLR float32"):
        predicted = rates[small, contestant] * MULTIPLICATIONS[small] / MULTIPLICATIONS[large]
        print(
            f"{contestant}, ResNet-50 at 224 pixels from ResNet-18 at 96 by multiplications: "
            f"predicted {predicted:.2f} pairs/s, measured {rates[large, contestant]:.2f}"
        )
    passes = FORWARD_PASSES["BYOL"] / FORWARD_PASSES["SimCLR"]
    found = rates[large, "harl_tf SimCLR float32"] / rates[large, "harl_tf BYOL float32"]
    print(f"BYOL's step in SimCLR's, by passes: predicted {passes:.2f}, measured {found:.2f}")


def main(_: list[str]) -> None:
    """Prints and writes."""
    found = measured()
    print(found)
    rows = [predict(gpus, found) for gpus in (1, 8, 64)]
    for row in rows:
        print(*(f"{key}={value}" for key, value in row.items()))
    with pathlib.Path(FLAGS.results, "imagenet_model.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    check()


if __name__ == "__main__":
    app.run(main)
