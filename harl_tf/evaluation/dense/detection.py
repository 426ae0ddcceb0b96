"""Average precision of detected boxes, as COCO computes it."""

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from harl_tf.evaluation.optional import needed


class Boxes(NamedTuple):
    """The boxes of one image.

    Attributes:
        corners: ``(boxes, 4)``: left, top, right, bottom in pixels.
        classes: ``(boxes,)`` ints from 0.
        scores: ``(boxes,)``, how sure a detector is. Default: 1 for all, as for true boxes.
    """

    corners: np.ndarray
    classes: np.ndarray
    scores: np.ndarray | None = None


class Precision(NamedTuple):
    """Average precision over classes.

    Attributes:
        ap: Mean over overlaps of .5 to .95.
        ap50: At an overlap of .5.
        ap75: At an overlap of .75.
        images: Number of images.
    """

    ap: float
    ap50: float
    ap75: float
    images: int

    def __str__(self) -> str:
        """One line for people."""
        return (
            f"AP {self.ap:.3f}, AP50 {self.ap50:.3f}, AP75 {self.ap75:.3f} of {self.images} images"
        )


def boxes_of(batch: Mapping[str, np.ndarray]) -> list[Boxes]:
    """The boxes of each image, from what KerasHub's detectors take and predict.

    Args:
        batch: ``"boxes"`` ``(images, boxes, 4)`` as left, top, right, bottom (``"xyxy"``),
            ``"labels"`` ``(images, boxes)``, −1 where there is no box, and of predictions
            ``"confidence"``.

    Example:
        >>> (boxes,) = boxes_of({"boxes": np.zeros((1, 2, 4)), "labels": np.array([[0, -1]])})
        >>> boxes.corners.shape
        (1, 4)
    """
    scores = batch.get("confidence")
    found = []
    for image, labels in enumerate(np.asarray(batch["labels"])):
        kept = labels >= 0
        found.append(
            Boxes(
                np.asarray(batch["boxes"][image])[kept],
                labels[kept],
                None if scores is None else np.asarray(scores[image])[kept],
            )
        )
    return found


def average_precision(
    truth: Sequence[Boxes], found: Sequence[Boxes], ignored: Sequence[Boxes] | None = None
) -> Precision:
    """COCO's average precision, by its own code (``pycocotools``, in the extra ``evaluation``).

    Args:
        truth: The true boxes of each image.
        found: The detected boxes of the same images, at most 100 of each count.
        ignored: Boxes that need not be found and are no mistake if they are, such as COCO's crowds.
            Default: none.

    Returns:
        AP, AP50 and AP75, within [0, 1].

    Raises:
        ValueError: If the numbers of images differ, there is no true box, or boxes are not as
            described.
        ImportError: If pycocotools is not installed.

    Example:
        >>> box = Boxes(np.array([[2.0, 3.0, 10.0, 12.0]]), np.array([0]), np.array([0.9]))
        >>> print(average_precision([box], [box]))
        AP 1.000, AP50 1.000, AP75 1.000 of 1 images
    """
    ignored = ignored or [Boxes(np.zeros((0, 4)), np.zeros(0, np.int64)) for _ in truth]
    if len(truth) != len(found) or len(truth) != len(ignored):
        raise ValueError(
            "Expected true and detected boxes of the same images. "
            f"Received: {len(truth)} and {len(found)}."
        )
    if not any(len(boxes.corners) for boxes in truth):
        raise ValueError("Expected at least one true box. Received: none.")
    coco = needed("pycocotools.coco", "pycocotools")
    evaluation = needed("pycocotools.cocoeval", "pycocotools")
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        known = coco.COCO()
        known.dataset = _dataset(truth, ignored)
        known.createIndex()
        detections = _annotations(found, "found")
        answers = known.loadRes(detections) if detections else coco.COCO()
        run = evaluation.COCOeval(known, answers, "bbox")
        if not detections:
            return Precision(0.0, 0.0, 0.0, len(truth))
        run.evaluate()
        run.accumulate()
        run.summarize()
    ap, ap50, ap75 = (float(each) for each in run.stats[:3])
    return Precision(ap, ap50, ap75, len(truth))


def _dataset(truth: Sequence[Boxes], ignored: Sequence[Boxes]) -> dict[str, Any]:
    annotations = _annotations(truth, "true")
    annotations += [{**each, "iscrowd": 1} for each in _annotations(ignored, "ignored")]
    for number, annotation in enumerate(annotations, 1):  # 0 means "no match" there
        annotation["id"] = number
    classes = sorted({annotation["category_id"] for annotation in annotations})
    return {
        "images": [{"id": image} for image in range(len(truth))],
        "categories": [{"id": each} for each in classes],
        "annotations": annotations,
    }


def _annotations(images: Sequence[Boxes], what: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for image, boxes in enumerate(images):
        corners = np.asarray(boxes.corners, np.float64).reshape(-1, 4)
        scores = np.ones(len(corners)) if boxes.scores is None else np.asarray(boxes.scores)
        sides = corners[:, 2:] - corners[:, :2]
        if len(boxes.classes) != len(corners) or len(scores) != len(corners):
            raise ValueError(
                f"Expected a class and a score for each {what} box. Received: {len(corners)} "
                f"boxes, {len(boxes.classes)} classes, {len(scores)} scores in image {image}."
            )
        if not np.isfinite(corners).all() or (sides < 0).any():
            raise ValueError(
                f"Expected {what} boxes as left, top, right, bottom. "
                f"Received: {corners[(sides < 0).any(axis=1)][:1].tolist()} in image {image}."
            )
        for corner, side, label, score in zip(corners, sides, boxes.classes, scores, strict=True):
            found.append(
                {
                    "image_id": image,
                    "category_id": int(label),
                    "bbox": [*corner[:2].tolist(), *side.tolist()],
                    "area": float(side[0] * side[1]),
                    "iscrowd": 0,
                    "score": float(score),
                }
            )
    return found
