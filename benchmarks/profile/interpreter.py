"""For how long a photograph holds the interpreter's lock on its way to two views.

    python -m benchmarks.profile.interpreter

In that time no other thread of the process can make views, so it bounds what one process makes,
however many processors it has. It is no more than what photographs of 8 × 8 pixels take, with which
there is nothing to do but call. Prints it.
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
    """Of a photograph of a folder of records, with all threads that the stream has."""
    stream = iter(harl_tf.data.PairedViews(folder, ROWS, image_size=SIDE).from_epoch(0))
    for _ in range(BATCHES_BEFORE):
        next(stream)
    start = time.perf_counter()
    for _ in range(BATCHES):
        next(stream)
    return (time.perf_counter() - start) / (BATCHES * ROWS)


def main(_: list[str]) -> None:
    """Measures, and prints."""
    small = Image.fromarray(photographs.of_scikit_image()[0]).resize((SIDE, SIDE))
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "small")
        source.mkdir()
        for index in range(PHOTOGRAPHS):
            small.save(source / f"{index}.jpg")
        each = seconds(records.make(pathlib.Path(folder), source))
    print(f"{1e3 * each:.3f} ms a photograph, {1 / each:,.0f} a second at most")


if __name__ == "__main__":
    app.run(main)
