"""Where the time of a training step goes, by kind of operation, from TensorFlow's own profiler.

    python -m benchmarks.profile_step [--method=BYOL] [--setting=resnet18_96]

Sums what the kernels of each kind took over the profiled steps, on all threads that start kernels
(a kernel's own threads work within its time). Writes ``profile_METHOD_SETTING.csv``.
"""

import collections
import csv
import pathlib
import tempfile
import time

from absl import app, flags

from benchmarks import training_step
from tensorflow.tsl.profiler.protobuf import xplane_pb2

import tensorflow as tf

FLAGS = flags.FLAGS
flags.DEFINE_enum("method", "BYOL", list(training_step.METHODS), "Method.")
flags.DEFINE_enum("setting", "resnet18_96", list(training_step.SETTINGS), "Setting.")
flags.DEFINE_integer("steps", 5, "Steps to profile.")


def kernels(folder: str) -> dict[str, float]:
    """Seconds by kind of operation, of a profile that lies in a folder."""
    seconds: dict[str, float] = collections.defaultdict(float)
    for path in pathlib.Path(folder).rglob("*.xplane.pb"):
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
        for plane in space.planes:
            for line in plane.lines:
                for event in line.events:
                    # A kernel is "name:Kind".
                    name = plane.event_metadata[event.metadata_id].name
                    where, colon, kind = name.rpartition(":")
                    if colon and where and kind.isidentifier() and not where.endswith(":"):
                        seconds[kind] += event.duration_ps / 1e12
    return seconds


def main(_: list[str]) -> None:
    """Profiles, prints and writes."""
    name = f"harl_tf {FLAGS.method} float32"
    step = training_step.bare_step(name, training_step.SETTINGS[FLAGS.setting])
    for _ in range(3):
        step()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with tf.profiler.experimental.Profile(folder):
            for _ in range(FLAGS.steps):
                step()
        whole = time.perf_counter() - start
        found = kernels(folder)
    path = pathlib.Path(FLAGS.results, f"profile_{FLAGS.method}_{FLAGS.setting}.csv")
    total = sum(found.values())
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["operation", "milliseconds_per_step", "share_of_kernels"])
        for kind, seconds in sorted(found.items(), key=lambda item: -item[1])[:25]:
            row = [kind, f"{1e3 * seconds / FLAGS.steps:.1f}", f"{seconds / total:.3f}"]
            writer.writerow(row)
            print(*row)
    print(f"kernels {total / FLAGS.steps:.2f} s of threads in a step of {whole / FLAGS.steps:.2f} s")


if __name__ == "__main__":
    app.run(main)
