"""How long a photograph holds the GIL on its way to two views.

    python -m benchmarks.profile.interpreter

During that time no other thread of the process can make views, so it bounds the rate of one
process, however many CPUs it has. The upper bound printed is the time for photographs of 8 × 8
pixels, for which the calls are nearly all of the work.
"""

import pathlib
import tempfile
import time

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
from absl import app
from PIL import Image

from benchmarks.harness import photographs, records

PHOTOGRAPHS, SIDE = 1024, 8
ROWS, BATCHES, BATCHES_BEFORE = 64, 400, 20


def seconds(folder: pathlib.Path) -> float:
    """Seconds per photograph of a folder of records, with all threads of the stream."""
    stream = iter(harl_tf.data.PairedViews(folder, ROWS, image_size=SIDE).from_epoch(0))
    for _ in range(BATCHES_BEFORE):
        next(stream)
    start = time.perf_counter()
    for _ in range(BATCHES):
        next(stream)
    return (time.perf_counter() - start) / (BATCHES * ROWS)


def main(_: list[str]) -> None:
    """Measures and prints the result."""
    small = Image.fromarray(photographs.of_scikit_image()[0]).resize((SIDE, SIDE))
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "small")
        source.mkdir()
        for index in range(PHOTOGRAPHS):
            small.save(source / f"{index}.jpg")
        each = seconds(records.make(pathlib.Path(folder), source))
    print(f"{1e3 * each:.3f} ms per photograph, at most {1 / each:,.0f} per second")


if __name__ == "__main__":
    app.run(main)
