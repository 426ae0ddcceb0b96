"""Where the time goes between a record and its two views.

    python -m benchmarks.profile.input [--photographs=FOLDER]

Each part on its own, in one thread, on the photographs and crops of
``benchmarks.speed.input_pipeline``: milliseconds per photograph, the median of several passes in
turn. The stream's own CPU time is in ``input_pipeline.csv``. Writes ``profile_input.csv`` to
``--results``.
"""

import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import harl_tf  # noqa: F401  # isort: skip  (before TensorFlow: turns oneDNN on)
import cv2
import numpy as np
import tensorflow as tf
from absl import app, flags
from numpy.typing import NDArray

from benchmarks.harness import arguments, machine, records, results
from harl_tf.data import decoding, geometry
from harl_tf.data import records as schema
from harl_tf.data.draws import draw
from harl_tf.data.geometry import RandomResizedCrop, Window
from harl_tf.data.kept_memory import keep_freed_memory
from harl_tf.data.view_cutter import EncodedImage, ViewCutter, Views

FLAGS = flags.FLAGS
arguments.define("results", "photographs")
flags.DEFINE_integer("image_size", 224, "Side of the views in pixels.")
flags.DEFINE_integer("passes", 7, "Passes over the photographs.")

CROP = RandomResizedCrop()
WHOLE = "a record, whole"


class Example(NamedTuple):
    """A record and everything that the parts make from it."""

    record: EncodedImage
    draws: NDArray[np.float32]
    image: NDArray[np.uint8]
    mask: NDArray[Any]
    windows: list[Window]


def examples(fields: Iterable[dict[str, tf.Tensor]]) -> list[Example]:
    """Decodes everything once, so that each part has its input ready."""
    made = []
    for index, each in enumerate(fields):
        record = EncodedImage(
            *(each[key].numpy() for key in (schema.NAME, schema.IMAGE, schema.MASK))
        )
        draws = draw(0, 0, np.array([index]), CROP.draws).uniform[0]
        mask = decoding.decode_regions(record.png)
        image = decoding.decode_photograph(record.jpeg)
        made.append(Example(record, draws, image, mask, windows_of(draws, mask)))
    return made


def windows_of(draws: NDArray[np.float32], mask: NDArray[Any]) -> list[Window]:
    """The windows of both views."""
    return [geometry.choose_window(own, mask, CROP) for own in draws.tolist()]


def parts(size: int, all_examples: list[Example]) -> dict[str, Callable[[int], object]]:
    """The parts by name: what each does with the example at an index."""
    rows = 64
    views = Views.empty(rows, size), Views.empty(rows, size)
    cut = ViewCutter((CROP, CROP))

    def whole(index: int) -> None:
        example = all_examples[index]
        cut(example.record, example.draws, views, index % rows)

    def cut_images(index: int) -> None:
        example = all_examples[index]
        for view, window in zip(views, example.windows, strict=True):
            geometry.cut_image(example.image, window, view.images[index % rows])

    def cut_masks(index: int) -> None:
        example = all_examples[index]
        for view, window in zip(views, example.windows, strict=True):
            geometry.cut_mask(example.mask, window, view.masks[index % rows])

    return {
        WHOLE: whole,
        "photograph decoded": lambda i: decoding.decode_photograph(all_examples[i].record.jpeg),
        "mask decoded": lambda i: decoding.decode_regions(all_examples[i].record.png),
        "windows chosen": lambda i: windows_of(all_examples[i].draws, all_examples[i].mask),
        "photograph cut twice": cut_images,
        "mask cut twice": cut_masks,
    }


def milliseconds(part: Callable[[int], object], count: int) -> float:
    """Milliseconds per example in one pass."""
    start = time.perf_counter()
    for index in range(count):
        part(index)
    return 1e3 * (time.perf_counter() - start) / count


def measure(all_examples: list[Example]) -> dict[str, float]:
    """Median milliseconds of each part; every pass runs all parts in turn."""
    named = parts(FLAGS.image_size, all_examples)
    times: dict[str, list[float]] = {name: [] for name in named}
    for _ in range(FLAGS.passes):
        for name, part in named.items():
            times[name].append(milliseconds(part, len(all_examples)))
    return {name: statistics.median(each) for name, each in times.items()}


def rows_of(medians: Mapping[str, float]) -> Iterator[dict[str, object]]:
    """The rows of the table."""
    for name, median in medians.items():
        yield {
            "part": name,
            "milliseconds": f"{median:.3f}",
            "share": f"{median / medians[WHOLE]:.3f}",
            "passes": FLAGS.passes,
            "processor": machine.processor(),
        }


def main(_: list[str]) -> None:
    """Measures and writes the table."""
    keep_freed_memory()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        made = records.make(pathlib.Path(folder), FLAGS.photographs)
        all_examples = examples(records.fields(made))
    results.write("profile_input.csv", rows_of(measure(all_examples)))


if __name__ == "__main__":
    app.run(main)
