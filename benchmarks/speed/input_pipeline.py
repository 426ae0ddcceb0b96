"""From JPEG records to two augmented views with masks at 224 pixels: ours and what others use.

    python -m benchmarks.speed.input_pipeline --peers=.venv-peers/bin/python [--photographs=FOLDER]

BYOL's recipe: crop, flip, jitter, greyscale, blur, solarisation. Contestants: decoding the same
JPEGs and nothing else, by TensorFlow and by OpenCV; ours, up to the views (what a host does whose
GPUs change the colours) and with colours (what a host does that trains by itself); torchvision's v2
transforms on bytes, masks cut along; lightly's BYOL transform on PIL images, without masks. All
have all processors: threads of ``tf.data`` here, a ``DataLoader``'s worker processes there.

Without ``--photographs`` they are cut out of scikit-image's own: 256 of 500 × 375 pixels, quality
95, about 60 kB each. Writes ``input_pipeline.csv`` and a plot into ``--results``.
"""

from benchmarks.harness.contestant import protocol, serve, steady

if __name__ == "__main__":
    import sys

    STREAM = protocol() if any(word.startswith("--contestant") for word in sys.argv) else None

import os
import pathlib
import sys
import tempfile
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
import tensorflow as tf
from absl import app, flags

import harl_tf
import mask_generation
from benchmarks.harness import side_by_side
from benchmarks.harness.photographs import photographs_of_scikit_image
from benchmarks.harness.side_by_side import Contestant
from harl_tf.data import PairedViews, records
from harl_tf.data.kept_memory import keep_freed_memory
from harl_tf.data.python_calls import numpy_call
from harl_tf.layers import byol_colors

FLAGS = flags.FLAGS
flags.DEFINE_string("peers", None, "Python of the peers' environment. Default: without peers.")
flags.DEFINE_string("photographs", None, "Folder of JPEGs.")
flags.DEFINE_integer("rounds", 9, "Rounds that are to count.")
flags.DEFINE_integer("image_size", 224, "Side of the views in pixels.")
flags.DEFINE_string("results", "benchmarks/results", "Folder for table and plot.")
flags.DEFINE_string("contestant", None, "Internal: which contestant this process is.")
flags.DEFINE_string("work", None, "Internal: where photographs and records lie.")

BATCH = 32
BATCHES_AHEAD = 16
"""At least as many as any of the streams has made before it is asked for them."""

OURS = ("TensorFlow decodes", "OpenCV decodes", "harl_tf views", "harl_tf views and colours")
PEERS = ("torchvision v2", "lightly BYOLTransform")


def prepare(work: pathlib.Path) -> None:
    """Records for us, and the same photographs and masks as files for the peers."""
    source = pathlib.Path(FLAGS.photographs or work / "photographs")
    if FLAGS.photographs is None:
        source.mkdir()
        photographs_of_scikit_image(source)
    mask_generation.convert(source, work / "records", "fast", flagged="keep", progress=False)
    (work / "files").mkdir()
    for index, record in enumerate(fields(work)):
        for key, extension in ((records.IMAGE, "jpg"), (records.MASK, "png")):
            path = work / "files" / f"{index:05d}.{extension}"
            path.write_bytes(record[key].numpy())


def _shards(work: pathlib.Path) -> tf.data.Dataset:
    return tf.data.TFRecordDataset(sorted(map(str, (work / "records").glob("*.tfrecord*"))))


def fields(work: pathlib.Path) -> Iterator[dict[str, tf.Tensor]]:
    """The records that ``prepare`` made."""
    return map(records.parse, _shards(work))


def _untuned(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Tuned buffers grow while others have their turn, and would be measured as speed."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(2).with_options(options)


def tensorflow_decodes(work: pathlib.Path) -> tf.data.Dataset:
    """Nothing but TensorFlow's decoder, the records in memory."""
    jpegs = _shards(work).map(lambda record: records.parse(record)[records.IMAGE]).cache().repeat()
    sizes = jpegs.map(
        lambda jpeg: tf.shape(tf.io.decode_jpeg(jpeg, channels=3)),
        num_parallel_calls=os.cpu_count(),
    )
    return _untuned(sizes.batch(BATCH))


def opencv_decodes(work: pathlib.Path) -> tf.data.Dataset:
    """Nothing but OpenCV's, called as our stream calls it."""
    keep_freed_memory()

    def decode(jpegs: np.ndarray) -> np.ndarray:
        arrays = [np.frombuffer(jpeg, np.uint8) for jpeg in jpegs]
        return np.array(
            [cv2.imdecode(each, cv2.IMREAD_COLOR_RGB).shape for each in arrays], "int32"
        )

    jpegs = _shards(work).map(lambda record: records.parse(record)[records.IMAGE]).cache().repeat()
    sizes = jpegs.batch(BATCH).map(
        lambda batch: numpy_call(decode, [batch], [tf.int32])[0], num_parallel_calls=os.cpu_count()
    )
    return _untuned(sizes)


def stream(name: str, work: pathlib.Path) -> tf.data.Dataset:
    """The data set of one of ours."""
    if name == "TensorFlow decodes":
        return tensorflow_decodes(work)
    if name == "OpenCV decodes":
        return opencv_decodes(work)
    views = PairedViews(work / "records", BATCH, FLAGS.image_size)
    return views.from_epoch(0, colors=byol_colors() if name.endswith("colors") else None)


def take_part() -> None:
    """The contestant's side."""
    batches = iter(stream(FLAGS.contestant, pathlib.Path(FLAGS.work)))

    def step() -> int:
        next(batches)
        return BATCH

    def drain() -> int:
        return sum(step() for _ in range(BATCHES_AHEAD))

    measure: Callable[[], int] = steady(step, seconds=4.0)
    versions = {"harl_tf": harl_tf.__version__, "tensorflow": tf.__version__}
    serve(STREAM, measure, drain, **versions, opencv=cv2.__version__)


def main(_: list[str]) -> None:
    """Measures, or takes part."""
    if FLAGS.contestant:
        take_part()
        return
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        prepare(work)
        own = [sys.executable, "-m", "benchmarks.speed.input_pipeline", f"--work={work}"]
        own.append(f"--image_size={FLAGS.image_size}")
        contestants = [Contestant(name, [*own, f"--contestant={name}"]) for name in OURS]
        if FLAGS.peers:
            script = pathlib.Path(__file__).parents[1] / "peers" / "input_pipeline.py"
            contestants += [
                Contestant(
                    name,
                    [FLAGS.peers, str(script), name, str(work / "files"), str(FLAGS.image_size)],
                )
                for name in PEERS
            ]
        result = side_by_side.run(contestants, FLAGS.rounds)
    rows = side_by_side.summary(result, OURS[0], image_size=FLAGS.image_size)
    table = pathlib.Path(FLAGS.results, "input_pipeline.csv")
    side_by_side.write(rows, table)
    title = f"Two views of {FLAGS.image_size} pixels, {side_by_side.processor()}"
    side_by_side.plot(rows, table.with_suffix(".png"), title, "photographs per second")


if __name__ == "__main__":
    app.run(main)
