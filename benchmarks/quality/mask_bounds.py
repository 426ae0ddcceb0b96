"""The limits of the masks: how much better they would be if an oracle made the choices.

    python -m benchmarks.quality.mask_bounds FOLDER [FOLDER ...]

Each folder contains photographs and drawn masks, as for ``python -m mask_generation evaluate``.
Three choices are made per photograph with the help of the true mask: the threshold of the fused
saliency before the cut; the threshold for GrabCut's seeds; and the single map to cut. Writes
``mask_bounds.csv`` to ``--results``.
"""

import dataclasses
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from absl import app
from numpy.typing import NDArray

from benchmarks.harness import arguments, results
from benchmarks.harness.drawn_masks import Mask, with_drawn_masks
from mask_generation.cut.grabcut import grabcut
from mask_generation.evaluation.metrics import intersection_over_union
from mask_generation.image.resize import enlarge, shrink
from mask_generation.methods import METHODS
from mask_generation.methods.fusion import Fusion

arguments.define("results")

MAPS = ("robust_background", "manifold_ranking", "geodesic", "barrier", "segments")
LEARN_SIZE = 120
# Powers of the saliency shift Otsu's split, from much foreground to little.
POWERS = (0.4, 0.6, 0.8, 1.0, 1.25, 1.6, 2.2)


def single(name: str, fusion: Fusion) -> Fusion:
    """The fusion with a single map."""
    weights: dict[str, Any] = {other: float(other == name) for other in MAPS}
    return dataclasses.replace(fusion, **weights)


def score(rgb: NDArray[np.uint8], truth: Mask, fusion: Fusion) -> dict[str, float]:
    """IoU of the default and of the best choices."""
    small = shrink(rgb, fusion.work_size)
    fused, _ = fusion.saliency(small)
    large = enlarge(fused, *rgb.shape[:2])

    def iou(mask: Mask) -> float:
        return intersection_over_union(mask, truth)

    def cut(saliency: NDArray[np.float32]) -> float:
        return iou(grabcut(rgb, saliency, LEARN_SIZE, fusion.cut_size))

    return {
        "default": cut(fused),
        "no cut": iou(dataclasses.replace(fusion, cut_size=0)(rgb).mask),
        "no cut, best threshold": max(iou(large >= t) for t in np.linspace(0.02, 0.98, 49)),
        "cut, best seeds": max(cut(fused**power) for power in POWERS),
        "cut of the best map": max(cut(single(name, fusion).saliency(small)[0]) for name in MAPS),
    }


def rows(folders: Sequence[str]) -> Iterator[dict[str, object]]:
    """The rows of the table: means over a folder's photographs."""
    fusion = METHODS["balanced"]
    assert isinstance(fusion, Fusion)
    for folder in folders:
        scores = [score(rgb, truth, fusion) for rgb, truth in with_drawn_masks(folder)]
        means = {name: round(float(np.mean([s[name] for s in scores])), 4) for name in scores[0]}
        yield {"folder": pathlib.Path(folder).name, "photographs": len(scores), **means}


def main(argv: list[str]) -> None:
    """Scores every photograph of every folder."""
    results.write("mask_bounds.csv", rows(argv[1:]))


if __name__ == "__main__":
    app.run(main)
