"""Where the time of a record goes on its way to two views, and what less decoding would save.

    python -m benchmarks.profile.input [--photographs=FOLDER]

Each part alone, in one thread, on the photographs and crops of ``benchmarks.speed.input_pipeline``:
milliseconds a photograph, the median of several passes in turn. The last parts are not of the
stream but of what was thought of: the photograph decoded only as far as the rectangle that holds
both windows (by TensorFlow, which can), and the mask's PNG inflated without a PNG reader, with a
byte or a bit a pixel. The stream's own processor time stands in ``input_pipeline.csv``. Writes
``profile_input.csv`` into ``--results``.
"""

import pathlib
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import cv2
import numpy as np
import tensorflow as tf
from absl import app, flags
from numpy.typing import NDArray

from benchmarks.harness import side_by_side
from benchmarks.speed import input_pipeline
from harl_tf.data import decoding, geometry, records
from harl_tf.data.draws import draw
from harl_tf.data.geometry import RandomResizedCrop, Window
from harl_tf.data.kept_memory import keep_freed_memory
from harl_tf.data.view_cutter import EncodedImage, ViewCutter, Views

FLAGS = flags.FLAGS
flags.DEFINE_integer("passes", 7, "Passes over the photographs.")

CROP = RandomResizedCrop()


class Example(NamedTuple):
    """A record and all that the parts make of it."""

    record: EncodedImage
    draws: NDArray[np.float32]
    image: NDArray[np.uint8]
    mask: NDArray[Any]
    windows: list[Window]
    around_windows: list[int]


def examples(fields: Iterable[dict[str, tf.Tensor]]) -> list[Example]:
    """Decoded once, so that each part has what it starts from."""
    made = []
    for index, each in enumerate(fields):
        record = EncodedImage(
            *(each[key].numpy() for key in (records.NAME, records.IMAGE, records.MASK))
        )
        draws = draw(0, 0, np.array([index]), CROP.draws).uniform[0]
        mask = decoding.decode_regions(record.png)
        windows = windows_of(draws, mask)
        image = decoding.decode_photograph(record.jpeg)
        made.append(Example(record, draws, image, mask, windows, around(windows)))
    return made


def windows_of(draws: NDArray[np.float32], mask: NDArray[Any]) -> list[Window]:
    """Those of both views."""
    return [geometry.choose_window(own, mask, CROP) for own in draws.tolist()]


def around(windows: list[Window]) -> list[int]:
    """Top, left, height and width of the rectangle that holds all windows."""
    top, left = min(each.top for each in windows), min(each.left for each in windows)
    bottom = max(each.top + each.height for each in windows)
    right = max(each.left + each.width for each in windows)
    return [top, left, bottom - top, right - left]


def compressed(png: bytes) -> bytes:
    """The pixels of a PNG that has them in one chunk, as ours do."""
    start = png.index(b"IDAT")
    return png[start + 4 : start + 4 + int.from_bytes(png[start - 4 : start], "big")]


def parts(size: int, all_examples: list[Example]) -> dict[str, Callable[[int], Any]]:
    """By name, what is done with the example of an index."""
    rows = 64
    views = Views.empty(rows, size), Views.empty(rows, size)
    two_views = ViewCutter((CROP, CROP))
    pixels = [compressed(each.record.png) for each in all_examples]
    bits = [zlib.compress(np.packbits(each.mask, axis=1).tobytes()) for each in all_examples]

    def whole(index: int) -> None:
        example = all_examples[index]
        two_views(example.record, example.draws, views, index % rows)

    def cut_images(index: int) -> None:
        example = all_examples[index]
        for view, window in zip(views, example.windows, strict=True):
            geometry.cut_image(example.image, window, view.images[index % rows])

    def cut_masks(index: int) -> None:
        example = all_examples[index]
        for view, window in zip(views, example.windows, strict=True):
            geometry.cut_mask(example.mask, window, view.masks[index % rows])

    def decode_around(index: int) -> None:
        example = all_examples[index]
        tf.io.decode_and_crop_jpeg(example.record.jpeg, example.around_windows, channels=3)

    return {
        "a record, whole": whole,
        "photograph decoded": lambda i: decoding.decode_photograph(all_examples[i].record.jpeg),
        "mask decoded": lambda i: decoding.decode_regions(all_examples[i].record.png),
        "windows chosen": lambda i: windows_of(all_examples[i].draws, all_examples[i].mask),
        "photograph cut twice": cut_images,
        "mask cut twice": cut_masks,
        "not used: photograph decoded around both windows": decode_around,
        "not used: mask inflated": lambda i: zlib.decompress(pixels[i]),
        "not used: mask of bits inflated": lambda i: zlib.decompress(bits[i]),
    }


def milliseconds(part: Callable[[int], Any], count: int) -> float:
    """Of one pass, for an example."""
    start = time.perf_counter()
    for index in range(count):
        part(index)
    return 1e3 * (time.perf_counter() - start) / count


def main(_: list[str]) -> None:
    """Measures in turns, and writes."""
    keep_freed_memory()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        input_pipeline.prepare(pathlib.Path(folder))
        all_examples = examples(input_pipeline.fields(pathlib.Path(folder)))
    named = parts(FLAGS.image_size, all_examples)
    times: dict[str, list[float]] = {name: [] for name in named}
    for _ in range(FLAGS.passes):
        for name, part in named.items():
            times[name].append(milliseconds(part, len(all_examples)))
    medians = {name: statistics.median(each) for name, each in times.items()}
    rows = [
        {
            "part": name,
            "milliseconds": f"{median:.3f}",
            "share": f"{median / medians['a record, whole']:.3f}",
            "passes": FLAGS.passes,
            "processor": side_by_side.processor(),
        }
        for name, median in medians.items()
    ]
    side_by_side.write(rows, pathlib.Path(FLAGS.results, "profile_input.csv"))
    area = [np.prod(each.around_windows[2:]) / each.mask.size for each in all_examples]
    print(f"Both windows lie in {np.mean(area):.2f} of the photograph, on average.")


if __name__ == "__main__":
    app.run(main)
