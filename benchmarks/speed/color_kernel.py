"""The stream's color kernel compared with the same arithmetic in OpenCV and NumPy.

    python -m benchmarks.speed.color_kernel

One thread, contestants in turn within a round, CPU time of the thread; also the difference between
their results. Writes ``color_kernel.csv`` to ``--results``.
"""

import math
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from absl import app, flags
from numpy.typing import NDArray

from benchmarks.harness import arguments, results
from harl_tf.data.aligned import aligned_empty
from harl_tf.data.color_on_host import apply_plan
from harl_tf.layers import byol_colors, moco_color, simclr_color
from harl_tf.layers.random_color import DRAWS

arguments.define("results", "rounds")
FLAGS = flags.FLAGS

IMAGES, BATCHES, SIDES = 64, 4, (96, 224)
_LUMA = (0.299, 0.587, 0.114)
Kernel = Callable[..., NDArray[np.float32]]


def by_opencv(
    images: NDArray[np.uint8],
    matrix: NDArray[np.float32],
    gray: NDArray[np.float32],
    sigma: NDArray[np.float32],
    solarize: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """The same as ``apply_plan``, with ``cv2.transform``, ``cv2.GaussianBlur`` and NumPy."""
    outputs = aligned_empty(images.shape, np.float32)
    for row, image in enumerate(images):
        out = outputs[row]
        offset = float(gray[row]) * float(np.dot(_LUMA, cv2.mean(image)[:3])) if gray[row] else 0.0
        affine = np.column_stack([matrix[row], np.full(3, offset, np.float32)])
        cv2.transform(image.astype(np.float32), affine, dst=out)
        np.clip(out, 0, 255, out=out)
        if sigma[row] > 0:
            side = 2 * math.ceil(4 * sigma[row]) + 1
            spread = float(sigma[row])
            cv2.GaussianBlur(out, (side, side), spread, dst=out, borderType=cv2.BORDER_REPLICATE)
        if solarize[row]:
            np.minimum(out, 255 - out, out=out)
    return outputs


KERNELS: dict[str, Kernel] = {"ours": apply_plan, "OpenCV and NumPy": by_opencv}


def compare(name: str, layer: Any, side: int) -> Iterator[dict[str, object]]:
    """One row per kernel, on the draws of a published augmentation."""
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (IMAGES, 12, 12, 3), np.uint8)
    images = np.stack([cv2.resize(each, (side, side)) for each in small])
    draws = random.uniform(size=(BATCHES, IMAGES, DRAWS)).astype(np.float32)
    plans = [[part.numpy() for part in layer.plan(each, side)] for each in draws]
    times: dict[str, list[float]] = {kernel: [] for kernel in KERNELS}
    for _ in range(FLAGS.rounds + 1):  # the first compiles
        for kernel, function in KERNELS.items():
            start = time.thread_time()
            for plan in plans:
                function(images, *plan)
            times[kernel].append((time.thread_time() - start) / (BATCHES * IMAGES))
    found = [[function(images, *plan) for plan in plans] for function in KERNELS.values()]
    apart = max(float(np.abs(a - b).max()) for a, b in zip(*found, strict=True))
    for kernel, seconds in times.items():
        pairs = zip(seconds[1:], times["ours"][1:], strict=True)
        yield {
            "augmentation": name,
            "side": side,
            "kernel": kernel,
            "microseconds": round(1e6 * statistics.median(seconds[1:]), 1),
            "ratio": round(statistics.median(mine / ours for mine, ours in pairs), 2),
            "largest_difference": f"{apart:.1g}",
        }


def main(_: list[str]) -> None:
    """Measures every augmentation at both sizes."""
    cv2.setNumThreads(1)
    first, second = byol_colors()
    layers = {
        "SimCLR": simclr_color(),
        "MoCo v2": moco_color(),
        "BYOL, first view": first,
        "BYOL, second view": second,
    }
    rows = (
        row
        for side in SIDES
        for name, layer in layers.items()
        for row in compare(name, layer, side)
    )
    results.write("color_kernel.csv", rows)


if __name__ == "__main__":
    app.run(main)
