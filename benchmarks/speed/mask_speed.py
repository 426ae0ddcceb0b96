"""Time of every mask method by image size, and the speedup from a second worker.

    python -m benchmarks.speed.mask_speed [--photographs=FOLDER]

In one thread, each photograph goes through all methods and scikit-image's ``felzenszwalb`` in turn,
so that other load on the machine affects all of them; ratios are for the same photograph in the
same turn. Then whole conversions are run with one and two workers, in turn. Without a folder, the
photographs are scikit-image's. Writes ``mask_speed.csv`` and ``mask_workers.csv`` to ``--results``.
"""

import functools
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import threadpoolctl
from absl import app, flags, logging
from numpy.typing import NDArray
from PIL import Image
from skimage.segmentation import felzenszwalb

import mask_generation
from benchmarks.harness import arguments, photographs, results

FLAGS = flags.FLAGS
arguments.define("results", "photographs")
flags.DEFINE_integer("count", 32, "Photographs measured, spread evenly over the folder.")
flags.DEFINE_integer("turns", 3, "Conversions with each number of workers.")
flags.DEFINE_list("sizes", "64,160,400,800", "Longer sides in pixels.")
flags.DEFINE_list("parts", "methods,workers", "What to measure.")

PEER = "scikit-image felzenszwalb"
WORKERS = (1, 2)
# Copies of each photograph in a conversion: at least half a minute of work, so that the startup of
# workers has little weight, as in any conversion worth two workers.
COPIES = {"fast": 128, "balanced": 16}

Photograph = NDArray[np.uint8]
Method = Callable[[Photograph], object]


def spread_over(folder: str) -> Iterator[Photograph]:
    """Some JPEGs from a folder, searched recursively."""
    paths = sorted(
        path for path in pathlib.Path(folder).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg")
    )
    for path in paths[:: max(1, len(paths) // FLAGS.count)][: FLAGS.count]:
        yield np.asarray(Image.open(path).convert("RGB"))


def resized(rgb: Photograph, longer_side: int) -> Photograph:
    """The photograph with this longer side."""
    scale = longer_side / max(rgb.shape[:2])
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=kind), np.uint8)


def methods() -> dict[str, Method]:
    """The methods to measure, the peer first."""
    found: dict[str, Method] = {
        PEER: functools.partial(felzenszwalb, scale=100, sigma=0.5, min_size=50)
    }
    for name in mask_generation.METHODS:
        found[name] = functools.partial(mask_generation.foreground_mask, method=name)
    return found


def measure_methods(images: list[Photograph]) -> Iterator[dict[str, object]]:
    """One row per size and method."""
    chosen = methods()
    for compute in chosen.values():
        compute(resized(images[0], 160))  # triggers compilation
    for size in map(int, FLAGS.sizes):
        seconds: dict[str, list[float]] = {name: [] for name in chosen}
        for rgb in images:
            small = resized(rgb, size)
            for name, compute in chosen.items():
                start = time.perf_counter()
                compute(small)
                seconds[name].append(time.perf_counter() - start)
        for name, values in seconds.items():
            ratios = [a / b for a, b in zip(values, seconds[PEER], strict=True)]
            quarter, median, three_quarters = statistics.quantiles(values, n=4)
            yield {
                "longer_side": size,
                "method": name,
                "mean_ms": f"{1e3 * statistics.mean(values):.2f}",
                "median_ms": f"{1e3 * median:.2f}",
                "quartiles_ms": f"{1e3 * quarter:.2f} {1e3 * three_quarters:.2f}",
                "ratio_to_peer": f"{statistics.median(ratios):.3f}",
                "photographs": len(values),
            }


def measure_workers(images: list[Photograph]) -> Iterator[dict[str, object]]:
    """One row per method, longer side 400: conversions with one and two workers, in turn."""
    for method, copies in COPIES.items():
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "photographs")
            source.mkdir()
            count = copies * len(images)
            for place in range(count):
                picture = Image.fromarray(resized(images[place % len(images)], 400))
                picture.save(source / f"{place:05d}.jpg", quality=90)
            rates: dict[int, list[float]] = {workers: [] for workers in WORKERS}
            for turn in range(FLAGS.turns):
                for workers in WORKERS:
                    out = pathlib.Path(folder, f"{turn}_{workers}")
                    start = time.perf_counter()
                    mask_generation.convert(
                        source, out, method, workers, flagged="keep", progress=False
                    )
                    rates[workers].append(count / (time.perf_counter() - start))
        gain = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
        yield {
            "method": method,
            "photographs": count,
            "one_worker_per_second": f"{statistics.median(rates[1]):.1f}",
            "two_workers_per_second": f"{statistics.median(rates[2]):.1f}",
            "gain": f"{statistics.median(gain):.2f}",
            "gains": " ".join(f"{value:.2f}" for value in gain),
        }


def main(_: list[str]) -> None:
    """Measures."""
    logging.set_verbosity(logging.WARNING)
    cv2.setNumThreads(1)
    given = FLAGS.photographs
    images = photographs.of_scikit_image() if given is None else list(spread_over(given))
    if "methods" in FLAGS.parts:
        with threadpoolctl.threadpool_limits(1):
            results.write("mask_speed.csv", measure_methods(images))
    if "workers" in FLAGS.parts:
        results.write("mask_workers.csv", measure_workers(images))


if __name__ == "__main__":
    app.run(main)
