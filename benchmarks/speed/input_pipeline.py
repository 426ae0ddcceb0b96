"""From JPEG records to two augmented views with masks at 224 pixels: ours and alternatives.

    python -m benchmarks.speed.input_pipeline --peers=.venv-peers/bin/python [--photographs=FOLDER]

BYOL's recipe: crop, flip, jitter, grayscale, blur, solarization. Contestants: only decoding the
same JPEGs, with TensorFlow and with OpenCV; ours, up to the views (the host's part when GPUs
augment the colors) and with colors (for training on the host's CPUs); torchvision's v2 transforms
on bytes, masks included; lightly's BYOL transform on PIL images, without masks. All use all CPUs:
through threads of ``tf.data`` here, through worker processes of a ``DataLoader`` there.

Without ``--photographs``, they are cropped from scikit-image's: 256 of 500 × 375 pixels, quality
95, about 60 kB each. Writes ``input_pipeline.csv`` and a plot to ``--results``.
"""

import os
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import cv2
import numpy as np
import tensorflow as tf
from absl import app, flags
from numpy.typing import NDArray

from benchmarks.harness import arguments, entries, plots, records, results, side_by_side
from benchmarks.harness.contestant import serve, steady
from benchmarks.harness.machine import processor
from benchmarks.harness.summary import summary
from harl_tf.data import PairedViews
from harl_tf.data import records as schema
from harl_tf.data.kept_memory import keep_freed_memory
from harl_tf.data.python_calls import numpy_call
from harl_tf.layers import byol_colors

FLAGS = flags.FLAGS
arguments.define("results", "photographs", "peers", "rounds", "contestant")
flags.DEFINE_integer("image_size", 224, "Side of the views in pixels.")
flags.DEFINE_string("work", None, "Internal: folder of photographs and records.")

BATCH = 32
BATCHES_AHEAD = 16
"""At least as many as any stream prepares in advance."""

PEERS = ("torchvision v2", "lightly BYOLTransform")


def _jpegs(work: pathlib.Path) -> tf.data.Dataset:
    """The photographs of the records, kept in memory."""
    serialized = records.serialized(work / "records")
    return serialized.map(lambda record: schema.parse(record)[schema.IMAGE]).cache().repeat()


def _untuned(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Turns off autotuning: tuned buffers grow during others' turns and would look like speed."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(2).with_options(options)


def tensorflow_decodes(work: pathlib.Path) -> tf.data.Dataset:
    """Only TensorFlow's decoder."""
    sizes = _jpegs(work).map(
        lambda jpeg: tf.shape(tf.io.decode_jpeg(jpeg, channels=3)),
        num_parallel_calls=os.cpu_count(),
    )
    return _untuned(sizes.batch(BATCH))


def opencv_decodes(work: pathlib.Path) -> tf.data.Dataset:
    """Only OpenCV's decoder, called in the same way as in our stream."""
    keep_freed_memory()

    def size(jpeg: bytes) -> tuple[int, ...]:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
        assert image is not None
        return image.shape

    def decode(jpegs: NDArray[Any]) -> NDArray[np.int32]:
        return np.array([size(jpeg) for jpeg in jpegs], np.int32)

    sizes = (
        _jpegs(work)
        .batch(BATCH)
        .map(
            lambda batch: numpy_call(decode, [batch], [tf.int32])[0],
            num_parallel_calls=os.cpu_count(),
        )
    )
    return _untuned(sizes)


def views(work: pathlib.Path) -> tf.data.Dataset:
    """Our stream, with the colors left to a GPU."""
    return PairedViews(work / "records", BATCH, FLAGS.image_size).from_epoch(0)


def views_and_colors(work: pathlib.Path) -> tf.data.Dataset:
    """Our stream on a host that trains on its CPUs."""
    stream = PairedViews(work / "records", BATCH, FLAGS.image_size)
    return stream.from_epoch(0, colors=byol_colors())


REFERENCE = "TensorFlow decodes"
OURS: dict[str, Callable[[pathlib.Path], tf.data.Dataset]] = {
    REFERENCE: tensorflow_decodes,
    "OpenCV decodes": opencv_decodes,
    "harl_tf views": views,
    "harl_tf views and colors": views_and_colors,
}


def take_part() -> None:
    """Runs as a contestant."""
    batches = iter(OURS[FLAGS.contestant](pathlib.Path(FLAGS.work)))

    def step() -> int:
        next(batches)
        return BATCH

    def drain() -> int:
        return sum(step() for _ in range(BATCHES_AHEAD))

    versions = {"harl_tf": harl_tf.__version__, "tensorflow": tf.__version__}
    serve(steady(step, seconds=4.0), drain, **versions, opencv=cv2.__version__)


def write_files(work: pathlib.Path) -> None:
    """Writes the photographs and masks of the records as files for the peers."""
    (work / "files").mkdir()
    for index, record in enumerate(records.fields(work / "records")):
        for key, extension in ((schema.IMAGE, "jpg"), (schema.MASK, "png")):
            path = work / "files" / f"{index:05d}.{extension}"
            path.write_bytes(record[key].numpy())


def measure(work: pathlib.Path) -> side_by_side.Result:
    """Measures all contestants in turn."""
    records.make(work, FLAGS.photographs)
    own = (f"--work={work}", f"--image_size={FLAGS.image_size}")
    entered = [entries.ours("benchmarks.speed.input_pipeline", name, *own) for name in OURS]
    if FLAGS.peers:
        write_files(work)
        peer = "benchmarks.peers.input_pipeline"
        entered += [entries.peer(peer, name, work / "files", FLAGS.image_size) for name in PEERS]
    return side_by_side.run(entered, FLAGS.rounds)


def main(_: list[str]) -> None:
    """Measures, or runs as a contestant."""
    if FLAGS.contestant:
        take_part()
        return
    with tempfile.TemporaryDirectory() as folder:
        result = measure(pathlib.Path(folder))
    results.write("input_pipeline.csv", summary(result, REFERENCE, image_size=FLAGS.image_size))
    plots.bars(
        results.read("input_pipeline.csv"),
        results.path("input_pipeline.png"),
        f"Two views of {FLAGS.image_size} pixels, {processor()}",
        "photographs per second",
    )


if __name__ == "__main__":
    app.run(main)
