"""Scoring a mask method on a folder of photographs with ground truth.

Owns which photographs are scored, the timing, and the sums over them. Does not own the metrics
themselves (``mask_generation.evaluation.metrics``), the layout of the folder
(``mask_generation.evaluation.truth``) nor how results are shown
(``mask_generation.evaluation.score_table``). It needs neither TensorFlow nor ``harl_tf``.
"""

import dataclasses
import pathlib
import time
from collections.abc import Iterable
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mask_generation.evaluation import metrics
from mask_generation.evaluation.orientation import turned_with_photograph
from mask_generation.evaluation.truth import EvaluationError, Truth, find_truth, half_of, read_mask
from mask_generation.foreground import foreground_mask
from mask_generation.inputs.reading import UnusableImageError, read_image
from mask_generation.methods import DEFAULT, MaskMethod, named
from mask_generation.result import ForegroundMask
from mask_generation.workers import ordered_map

LOW_IOU = 0.3
"""A mask with an IoU below this has missed the object."""
LOCALIZED_IOU = 0.5
"""A box with at least this IoU has found the object: the PASCAL VOC rule, used by CorLoc."""


@dataclasses.dataclass(frozen=True)
class Score:
    """The metrics of one photograph.

    Attributes:
        name: Its path in the folder.
        iou: Intersection over union of mask and true mask, or of their boxes.
        quality: The method's own quality of the mask, in [0, 1].
        flag: Why the mask should not be trusted, or None.
        share: Share of foreground pixels in the computed mask.
        milliseconds: Process time to compute the mask.
    """

    name: str
    iou: float
    quality: float
    flag: str | None
    share: float
    milliseconds: float


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """How well a method does on a folder.

    Attributes:
        folder: The folder's name.
        method: The method's name.
        half: 0 or 1 if one half was scored, None for all.
        truth: ``"masks"`` or ``"boxes"``: what ``iou`` refers to.
        scores: The photographs, by name.
        max_f: Largest F_β (β² = 0.3) on the mean precision–recall curve of the saliency; None
            without true masks.
        absolute_error: Mean absolute error of the saliency; None without true masks.
    """

    folder: str
    method: str
    half: int | None
    truth: str
    scores: tuple[Score, ...]
    max_f: float | None
    absolute_error: float | None

    @property
    def mean_iou(self) -> float:
        """Mean intersection over union of the photographs."""
        return float(np.mean([score.iou for score in self.scores]))

    @property
    def low_share(self) -> float:
        """Share of photographs with an intersection over union below 0.3."""
        return float(np.mean([score.iou < LOW_IOU for score in self.scores]))

    @property
    def corloc(self) -> float | None:
        """Share of photographs with a box IoU of 0.5 or more; None without true boxes."""
        if self.truth != "boxes":
            return None
        return float(np.mean([score.iou >= LOCALIZED_IOU for score in self.scores]))

    @property
    def flagged_share(self) -> float:
        """Share of photographs whose mask has a flag."""
        return float(np.mean([score.flag is not None for score in self.scores]))

    @property
    def milliseconds(self) -> float:
        """Mean process time per photograph."""
        return float(np.mean([score.milliseconds for score in self.scores]))

    @property
    def rank_correlation(self) -> float | None:
        """Spearman's correlation of quality with intersection over union; None if undefined.

        At 0, the quality says nothing about the mask; at 1, it ranks the photographs correctly.
        """
        return metrics.rank_correlation(
            [score.quality for score in self.scores], [score.iou for score in self.scores]
        )


def evaluate(
    folder: str | pathlib.Path,
    method: str | MaskMethod = DEFAULT,
    half: int | None = None,
    workers: int = 1,
    progress: bool = True,
) -> Evaluation:
    """Scores a mask method against drawn masks or boxes.

    With true masks, ``iou`` compares masks, and the saliency is scored too. With boxes, it compares
    the bounding box of the mask's largest connected part with the true box it fits best.

    Args:
        folder: Photographs with drawn masks or boxes: ``pairs.csv``, or the folders ``images`` and
            ``masks``, or ``boxes.csv``; see ``python -m mask_generation evaluate --help``.
        method: Name of the method, a key of ``mask_generation.METHODS``, or a method itself.
            Default: ``"balanced"``.
        half: Score only this half of the photographs, 0 or 1, split by a hash of their names:
            choose settings on one half, report results on the other. Default: all.
        workers: Number of processes. Several processes share the machine's caches, so measure time
            with one. Default: 1.
        progress: Whether to show a progress bar. Default: True.

    Returns:
        The metrics. The time is process time of one thread. It excludes reading the photograph and
        the first call in each process, which compiles and loads code.

    Raises:
        EvaluationError: If the ground truth is missing, does not fit its photograph or cannot be
            read.
        ValueError: If the method is unknown, ``half`` or ``workers`` are not as above.

    Example:
        >>> evaluate("no/such/folder")
        Traceback (most recent call last):
        mask_generation.evaluation.truth.EvaluationError: There is no folder no/such/folder.
    """
    if half not in (None, 0, 1) or workers < 1:
        raise ValueError(
            f"Expected half 0, 1 or None and workers ≥ 1. Received: {half!r} and {workers}."
        )
    if isinstance(method, str):
        named(method)  # fails early if there is none
    truths = find_truth(folder)
    if half is not None:
        truths = [truth for truth in truths if half_of(truth.name) == half]
        if not truths:
            raise EvaluationError(
                f"Half {half} of {folder} holds no photograph. Leave half out to score all of them."
            )
    try:
        with ordered_map(workers) as run:
            results = run(partial(_measure, method=method), truths)
            name = pathlib.Path(folder).resolve().name
            with tqdm(
                results, total=len(truths), unit="photo", desc=name, disable=not progress
            ) as done:
                return _sum_up(
                    done, name, method if isinstance(method, str) else repr(method), half
                )
    except BrokenProcessPool as error:
        raise EvaluationError(
            "A worker process died, perhaps because memory ran out. Try fewer workers."
        ) from error


@dataclasses.dataclass(frozen=True)
class _Measured:
    """A photograph's score, and values that only make sense averaged over photographs."""

    score: Score
    precision: NDArray[np.float64] | None = None
    recall: NDArray[np.float64] | None = None
    absolute_error: float | None = None


def _sum_up(
    measured: Iterable[_Measured], folder: str, method: str, half: int | None
) -> Evaluation:
    """Sums results as they arrive, so that curves are not kept per photograph."""
    scores = []
    precision, recall = np.zeros(metrics.THRESHOLDS), np.zeros(metrics.THRESHOLDS)
    error, drawn = 0.0, 0
    for one in measured:
        scores.append(one.score)
        if one.precision is None or one.recall is None or one.absolute_error is None:
            continue
        drawn += 1
        precision += one.precision
        recall += one.recall
        error += one.absolute_error
    return Evaluation(
        folder=folder,
        method=method,
        half=half,
        truth="masks" if drawn else "boxes",
        scores=tuple(scores),
        max_f=metrics.max_f_beta(precision / drawn, recall / drawn) if drawn else None,
        absolute_error=error / drawn if drawn else None,
    )


def _measure(truth: Truth, method: str | MaskMethod) -> _Measured:
    """Scores one photograph; this is what a worker process does."""
    try:
        rgb, _ = read_image(truth.path)
    except UnusableImageError as error:
        raise EvaluationError(
            f"The photograph {truth.path} cannot be used: {error}. Remove it from the folder."
        ) from error
    if truth.mask is None:
        turned = turned_with_photograph(truth, rgb.shape[1], rgb.shape[0])
        boxes = _inside(turned, width=rgb.shape[1], height=rgb.shape[0])
        result, milliseconds = _timed(rgb, method)
        iou = metrics.best_box_iou(metrics.box_of(result.mask), boxes)
        return _Measured(_score(truth, result, iou, milliseconds))
    true = read_mask(truth.mask, truth.path, rgb.shape[:2])
    if true.foreground.shape != rgb.shape[:2]:
        (rows, columns), (height, width) = true.foreground.shape, rgb.shape[:2]
        raise EvaluationError(
            f"Expected {truth.mask} to have its photograph's size, {width}×{height} "
            f"pixels. Received: {columns}×{rows}. The photograph is {truth.path}."
        )
    result, milliseconds = _timed(rgb, method)
    known = true.known
    foreground = true.foreground[known]
    saliency = result.saliency[known]
    precision, recall = metrics.precision_recall(saliency, foreground)
    return _Measured(
        _score(
            truth,
            result,
            metrics.intersection_over_union(result.mask[known], foreground),
            milliseconds,
        ),
        precision,
        recall,
        metrics.mean_absolute_error(saliency, foreground),
    )


def _score(truth: Truth, result: ForegroundMask, iou: float, milliseconds: float) -> Score:
    return Score(
        truth.name, iou, result.quality, result.flag, result.foreground_share, milliseconds
    )


def _inside(truth: Truth, width: int, height: int) -> list[metrics.Box]:
    """The true boxes, clipped to the image, after checking that they belong to it."""
    if truth.size is not None and truth.size != (width, height):
        raise EvaluationError(
            f"Expected {truth.path} to have the size its boxes are for, {truth.size[0]}×"
            f"{truth.size[1]} pixels. Received: {width}×{height}."
        )
    for left, top, right, bottom in truth.boxes:
        if left >= width or top >= height or right < 0 or bottom < 0:
            raise EvaluationError(
                f"Expected the boxes of {truth.path} inside its {width}×{height} pixels. "
                f"Received: {(left, top, right, bottom)}."
            )
    # Tables that count from 1 are off by one at the right and bottom edges.
    return [
        (max(left, 0), max(top, 0), min(right, width - 1), min(bottom, height - 1))
        for left, top, right, bottom in truth.boxes
    ]


# Methods that this process has already called.
_warm: set[str] = set()


def _timed(rgb: NDArray[np.uint8], method: str | MaskMethod) -> tuple[ForegroundMask, float]:
    """A mask and the process time it took one thread, in milliseconds."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # ordered_map limits those of BLAS
    try:
        key = method if isinstance(method, str) else repr(method)
        if key not in _warm:  # the first call loads libraries and compiles
            foreground_mask(rgb, method=method)
            _warm.add(key)
        start = time.process_time()
        result = foreground_mask(rgb, method=method)
        return result, 1000 * (time.process_time() - start)
    finally:
        cv2.setNumThreads(threads)
