"""OpenCV's segments compared with scikit-image's: masks, region maps and time.

    python -m benchmarks.quality.segment_libraries FOLDER [FOLDER ...]

Each folder contains photographs and drawn masks, as for ``python -m mask_generation evaluate``. The
IoU of masks is that with the drawn mask; that of region maps the best that a union of regions could
reach. Contestants take turns on every photograph, one thread, CPU time of the thread. Writes
``segment_libraries.csv`` to ``--results``.
"""

import pathlib
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

import cv2
import numpy as np
import skimage.segmentation
import threadpoolctl
from absl import app
from numpy.typing import NDArray

from benchmarks.harness import arguments, results
from benchmarks.quality.mask_bounds import photographs
from mask_generation.evaluation.metrics import intersection_over_union
from mask_generation.foreground import foreground_mask
from mask_generation.methods import METHODS
from mask_generation.methods.regions import Felzenszwalb, RegionMap, Slic, numbered, region_map

arguments.define("results")

Image = NDArray[np.uint8]
Method = Callable[[Image], Image]


def felzenszwalb(image: Image, scale: float, sigma: float, min_size: int) -> NDArray[np.intp]:
    """``graph_segments`` by scikit-image."""
    ids = skimage.segmentation.felzenszwalb(image, scale=scale, sigma=sigma, min_size=min_size)
    return np.asarray(ids, np.intp)


def mask_of(name: str) -> Method:
    """The mask of a method."""
    return lambda rgb: foreground_mask(rgb, METHODS[name]).mask


def with_scikit_image(module: str, method: Method) -> Method:
    """The same with scikit-image's segments in one module."""

    def patched(rgb: Image) -> Image:
        with mock.patch(f"mask_generation.methods.{module}.graph_segments", felzenszwalb):
            return method(rgb)

    return patched


def ids_of(make: Callable[[Image], RegionMap]) -> Method:
    """The ids of a region map."""
    return lambda rgb: region_map(rgb, make).ids  # type: ignore[return-value]


def slic(rgb: Image) -> RegionMap:
    """About 100 superpixels by scikit-image, whose compactness counts in other units."""
    ids = skimage.segmentation.slic(rgb, n_segments=100, compactness=10, start_label=0)
    return numbered(ids)


# What is compared: (OpenCV's, scikit-image's, whether they are masks).
COMPARED: dict[str, tuple[Method, Method, bool]] = {
    name: (mask_of(name), with_scikit_image(module, mask_of(name)), True)
    for name, module in (("balanced", "fusion"), ("felzenszwalb", "felzenszwalb"))
} | {
    "felzenszwalb regions": (
        ids_of(Felzenszwalb(100, min_size=100)),
        with_scikit_image("regions", ids_of(Felzenszwalb(100, min_size=100))),
        False,
    ),
    "slic regions": (ids_of(Slic(100)), ids_of(slic), False),
}


def union_of_regions(ids: Image, truth: NDArray[Any]) -> NDArray[np.bool_]:
    """All regions that lie in the true mask by more than a half."""
    area, inside = np.bincount(ids.ravel()), np.bincount(ids.ravel(), truth.ravel())
    chosen: NDArray[np.bool_] = (2 * inside > area)[ids]
    return chosen


def rows(folders: Sequence[str]) -> Iterator[dict[str, object]]:
    """One row per folder, comparison and library."""
    for folder in folders:
        pictures = list(photographs(folder))
        for name, (*methods, masks) in COMPARED.items():
            scores: list[list[float]] = [[], []]
            seconds: list[list[float]] = [[], []]
            for turn, (rgb, truth) in enumerate(pictures):
                for which in (0, 1) if turn % 2 else (1, 0):
                    start = time.thread_time()
                    found = methods[which](rgb)
                    seconds[which].append(time.thread_time() - start)
                    if not masks:
                        found = union_of_regions(found, truth).astype(np.uint8)
                    scores[which].append(intersection_over_union(found, truth))
            for which, library in enumerate(("OpenCV", "scikit-image")):
                pairs = zip(seconds[which], seconds[0], strict=True)
                yield {
                    "folder": pathlib.Path(folder).name,
                    "compared": name,
                    "library": library,
                    "photographs": len(pictures),
                    "iou": round(float(np.mean(scores[which])), 4),
                    "ms": round(1000 * statistics.mean(seconds[which]), 2),
                    "ratio": round(statistics.median(a / b for a, b in pairs), 3),
                }


def main(argv: list[str]) -> None:
    """Compares on every photograph of every folder."""
    cv2.setNumThreads(1)
    with threadpoolctl.threadpool_limits(1):
        results.write("segment_libraries.csv", rows(argv[1:]))


if __name__ == "__main__":
    app.run(main)
