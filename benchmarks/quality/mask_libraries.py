"""Libraries within the mask methods compared with what could take their place: masks and time.

    python -m benchmarks.quality.mask_libraries FOLDER [FOLDER ...]

OpenCV's segments against scikit-image's, compiled shortest paths against SciPy's. Each folder
contains photographs and drawn masks, as for ``python -m mask_generation evaluate``. The IoU of a
mask is that with the drawn mask; that of a region map the best that a union of regions could reach.
Contestants take turns on every photograph, one thread, CPU time of the thread. Writes
``mask_libraries.csv`` to ``--results``.
"""

import dataclasses
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
from scipy.sparse.csgraph import floyd_warshall

from benchmarks.harness import arguments, results
from benchmarks.harness.drawn_masks import with_drawn_masks
from mask_generation.evaluation.metrics import intersection_over_union
from mask_generation.foreground import foreground_mask
from mask_generation.methods import METHODS
from mask_generation.methods.regions import Felzenszwalb, RegionMap, Slic, numbered, region_map

arguments.define("results")

Image = NDArray[np.uint8]
Method = Callable[[Image], Image]
Table = dict[str, tuple[list[float], list[float]]]


def felzenszwalb(image: Image, scale: float, sigma: float, min_size: int) -> NDArray[np.intp]:
    """``graph_segments`` by scikit-image."""
    ids = skimage.segmentation.felzenszwalb(image, scale=scale, sigma=sigma, min_size=min_size)
    return np.asarray(ids, np.intp)


def mask_of(name: str) -> Method:
    """The mask of a method."""
    return lambda rgb: foreground_mask(rgb, METHODS[name]).mask


def patched(place: str, other: Callable[..., Any], method: Method) -> Method:
    """The same with another function at one place of ``mask_generation.methods``."""

    def run(rgb: Image) -> Image:
        with mock.patch(f"mask_generation.methods.{place}", other):
            return method(rgb)

    return run


def ids_of(make: Callable[[Image], RegionMap]) -> Method:
    """The ids of a region map."""
    return lambda rgb: region_map(rgb, make).ids  # type: ignore[return-value]


def slic(rgb: Image) -> RegionMap:
    """About 100 superpixels by scikit-image, whose compactness counts in other units."""
    ids = skimage.segmentation.slic(rgb, n_segments=100, compactness=10, start_label=0)
    return numbered(ids)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What is used and what could be, by library, and whether they make masks or region maps."""

    methods: dict[str, Method]
    masks: bool = True


def of_segments(module: str, method: Method, masks: bool = True) -> Comparison:
    """Felzenszwalb's segments by either library in one module."""
    other = patched(f"{module}.graph_segments", felzenszwalb, method)
    return Comparison({"OpenCV": method, "scikit-image": other}, masks)


_PATHS = "robust_background.shortest_paths"
COMPARED = {
    "balanced, segments": of_segments("fusion", mask_of("balanced")),
    "felzenszwalb": of_segments("felzenszwalb", mask_of("felzenszwalb")),
    "felzenszwalb regions": of_segments(
        "regions", ids_of(Felzenszwalb(100, min_size=100)), masks=False
    ),
    "slic regions": Comparison({"OpenCV": ids_of(Slic(100)), "scikit-image": ids_of(slic)}, False),
    "balanced, shortest paths": Comparison(
        {
            "compiled": mask_of("balanced"),
            "SciPy": patched(_PATHS, floyd_warshall, mask_of("balanced")),
        }
    ),
}


def union_of_regions(ids: Image, truth: NDArray[Any]) -> NDArray[np.bool_]:
    """All regions that lie in the true mask by more than a half."""
    area, inside = np.bincount(ids.ravel()), np.bincount(ids.ravel(), truth.ravel())
    chosen: NDArray[np.bool_] = (2 * inside > area)[ids]
    return chosen


def compare(pictures: Sequence[tuple[Image, NDArray[Any]]], comparison: Comparison) -> Table:
    """Scores and seconds of every photograph, by library."""
    scores: Table = {library: ([], []) for library in comparison.methods}
    for turn, (rgb, truth) in enumerate(pictures):
        for library, method in list(comparison.methods.items())[:: 1 if turn % 2 else -1]:
            start = time.thread_time()
            found = method(rgb)
            seconds = time.thread_time() - start
            if not comparison.masks:
                found = union_of_regions(found, truth).astype(np.uint8)
            scores[library][0].append(intersection_over_union(found, truth))
            scores[library][1].append(seconds)
    return scores


def rows(folders: Sequence[str]) -> Iterator[dict[str, object]]:
    """One row per folder, comparison and library."""
    for folder in folders:
        pictures = list(with_drawn_masks(folder))
        for name, comparison in COMPARED.items():
            table = compare(pictures, comparison)
            _, reference = next(iter(table.values()))
            for library, (scores, seconds) in table.items():
                pairs = zip(seconds, reference, strict=True)
                yield {
                    "folder": pathlib.Path(folder).name,
                    "compared": name,
                    "library": library,
                    "photographs": len(pictures),
                    "iou": round(float(np.mean(scores)), 4),
                    "ms": round(1000 * statistics.mean(seconds), 2),
                    "ratio": round(statistics.median(a / b for a, b in pairs), 3),
                }


def main(argv: list[str]) -> None:
    """Compares on every photograph of every folder."""
    cv2.setNumThreads(1)
    with threadpoolctl.threadpool_limits(1):
        results.write("mask_libraries.csv", rows(argv[1:]))


if __name__ == "__main__":
    app.run(main)
