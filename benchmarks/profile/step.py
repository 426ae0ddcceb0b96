"""Where the time of a training step goes, by kind of kernel, from TensorFlow's profiler.

    python -m benchmarks.profile.step [--method=BYOL] [--setting=resnet18_96] [--policy=float32]

Sums the time of the kernels of each kind over the profiled steps, on all threads that launch
kernels (a kernel's own threads work within its time). Also prints the arithmetic rate of a step and
that of a product of two large matrices, which is the practical limit. Writes
``profile_METHOD_SETTING_POLICY.csv`` to ``--results``.
"""

import collections
import pathlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping

import harl_tf  # noqa: F401  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import tensorflow as tf
from absl import app, flags
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from benchmarks.harness import arguments, results, steps
from benchmarks.harness.arithmetic import operations_of_a_pair

FLAGS = flags.FLAGS
arguments.define("results")
flags.DEFINE_enum("method", "BYOL", list(steps.METHODS), "Method.")
flags.DEFINE_enum("setting", "resnet18_96", list(steps.SETTINGS), "Setting.")
flags.DEFINE_string("policy", "float32", "Dtype policy.")
flags.DEFINE_integer("steps", 12, "Steps to profile.")

MOST = 25
"""Kinds of kernels in the table."""


def profiled(step: Callable[[], object]) -> tuple[dict[str, float], float]:
    """Seconds by kind of kernel, and in total, for some steps."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with tf.profiler.experimental.Profile(folder):
            for _ in range(FLAGS.steps):
                step()
        seconds = time.perf_counter() - start
        return kernels(folder), seconds


def kernels(folder: str) -> dict[str, float]:
    """Seconds by kind of kernel, from the profile in a folder."""
    seconds: dict[str, float] = collections.defaultdict(float)
    for path in pathlib.Path(folder).rglob("*.xplane.pb"):
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
        for plane in space.planes:
            for line in plane.lines:
                for event in line.events:
                    # A kernel's events are named "name:Kind"; C++ scopes have two colons.
                    name = plane.event_metadata[event.metadata_id].name
                    where, _, kind = name.rpartition(":")
                    if where and kind.isidentifier() and not where.endswith(":"):
                        seconds[kind] += event.duration_ps / 1e12
    return seconds


def rows(found: Mapping[str, float]) -> Iterator[dict[str, str]]:
    """The rows of the table, longest first."""
    total = sum(found.values())
    for kind, seconds in sorted(found.items(), key=lambda item: -item[1])[:MOST]:
        yield {
            "kernel": kind,
            "milliseconds_per_step": f"{1e3 * seconds / FLAGS.steps:.1f}",
            "share_of_kernels": f"{seconds / total:.3f}",
        }


def operations_of_a_product(size: int = 3072, times: int = 5) -> float:
    """Multiplications and additions per second of a square matrix product, at its fastest."""
    dtype = keras.DTypePolicy(FLAGS.policy).compute_dtype
    matrix = tf.cast(tf.random.stateless_normal((size, size), (0, 1)), dtype)
    product = tf.function(lambda: tf.reduce_max(tf.matmul(matrix, matrix)))
    float(product())
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        float(product())
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds)


def main(_: list[str]) -> None:
    """Profiles, prints and writes."""
    setting = steps.SETTINGS[FLAGS.setting]
    model = steps.compiled(FLAGS.method, FLAGS.policy, setting)
    step = steps.step_of(model, steps.same_batch(setting.batch, setting.image_size))
    for _time in range(3):
        step()
    found, whole = profiled(step)
    results.write(f"profile_{FLAGS.method}_{FLAGS.setting}_{FLAGS.policy}.csv", rows(found))
    each = whole / FLAGS.steps
    in_kernels = sum(found.values()) / FLAGS.steps
    print(f"kernels {in_kernels:.3f} s of threads in a step of {each:.3f} s")
    done = setting.batch * operations_of_a_pair(FLAGS.method, FLAGS.setting) / each
    print(f"step {done / 1e9:.0f} GFLOP/s, matrices {operations_of_a_product() / 1e9:.0f} GFLOP/s")


if __name__ == "__main__":
    app.run(main)
