"""RetinaNet, fine-tuned: how well a backbone detects once it may learn to."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from harl_tf.backbones import rebuild
from harl_tf.evaluation.datasets.annotated import Annotated
from harl_tf.evaluation.dense.detection import Boxes, Precision, average_precision, boxes_of
from harl_tf.evaluation.fine_tuned.endless import endless
from harl_tf.evaluation.fine_tuned.retinanet import check_levels, retinanet, smallest_side
from harl_tf.evaluation.fine_tuned.squares import Square, square
from harl_tf.evaluation.fine_tuned.usable import refuse_diverged
from harl_tf.evaluation.optional import needed
from harl_tf.layers import FusedBatchNormalization


def fine_tuned_detection(
    backbone: keras.Model,
    train: Sequence[Annotated],
    test: Sequence[Annotated],
    classes: int,
    size: int,
    steps: int,
    rate: float = 1e-3,
    batch_size: int = 8,
    seed: int = 0,
) -> Precision:
    """Finds the boxes of test images by KerasHub's RetinaNet (Lin et al. 2017), on a copy.

    Every layer that is trainable is trained, with AdamW along a cosine, on the photographs and
    their mirror images. A photograph is scaled until its longer side is ``size``, and filled up to
    a square. Boxes that are ignored in scoring are not trained on. KerasHub removes overlapping
    boxes whatever their classes.

    Args:
        backbone: A backbone as ``load_backbone`` and ``open_backbone`` return it. It is not
            changed.
        train: Photographs with boxes: ``images`` of what ``read_coco`` and ``read_voc`` return.
            They are kept in memory, ``size × size × 3`` bytes each, and so are the others.
        test: Likewise.
        classes: Number of classes.
        size: Side of the squares in pixels, a multiple of 32. Objects of less than about 11 of them
            (23 from 512 on) cannot be learned: ``share_too_small`` says how many there are.
        steps: Length of the fine-tuning.
        rate: Learning rate at the start. Default: 0.001.
        batch_size: Images of a step. Default: 8.
        seed: Of the head, the order and the mirroring. Default: 0.

    Returns:
        COCO's average precision.

    Raises:
        ValueError: If the size is no multiple of 32, the backbone lacks a map, there are no
            photographs with boxes, a label is outside the classes, or a photograph cannot be read
            or is not of the size that was annotated.
        FloatingPointError: If the training diverges.
        ImportError: If pycocotools is not installed.

    Example:
        ::

            data = harl_tf.evaluation.read_voc("Annotations", "JPEGImages")
            parts = data.images[::2], data.images[1::2]
            fine_tuned_detection(backbone, *parts, len(data.classes), size=256, steps=2000)
    """
    needed("pycocotools.coco", "pycocotools")  # before the training, not after it
    check_levels(backbone, size)
    for part, what in ((train, "train"), (test, "test")):
        _check_labels(part, what, classes)
    learned, scored = ([square(each, size) for each in part] for part in (train, test))
    keras.utils.set_random_seed(seed)
    model = retinanet(rebuild(backbone, FusedBatchNormalization), classes, size, seed)
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
    model.compile(keras.optimizers.AdamW(schedule), jit_compile=False)
    model.fit(_batches(learned, batch_size, seed), steps_per_epoch=steps, verbose=0, shuffle=False)
    refuse_diverged(model)
    truth, ignored = [each.boxes for each in test], [each.ignored for each in test]
    return average_precision(truth, _found(model, scored, batch_size), ignored)


def share_too_small(images: Sequence[Annotated], size: int) -> float:
    """Share of the boxes that are too small to be learned at a size.

    Args:
        images: Photographs with boxes.
        size: Side of the squares in pixels.

    Example:
        >>> share_too_small([], 160)
        0.0
    """
    sides = [
        np.sqrt(np.prod(each.boxes.corners[:, 2:] - each.boxes.corners[:, :2], axis=1))
        * (size / max(each.size))
        for each in images
        if len(each.boxes.corners)
    ]
    return float(np.mean(np.concatenate(sides) < smallest_side(size))) if sides else 0.0


def _check_labels(part: Sequence[Annotated], what: str, classes: int) -> None:
    labels = [label for each in part for label in each.boxes.classes]
    if not labels or not 0 <= min(labels) <= max(labels) < classes:
        found = f"labels from {min(labels)} to {max(labels)}" if labels else "no box"
        raise ValueError(
            f"Expected boxes to {what} on with labels from 0 to {classes - 1}. Received: {found}."
        )


def _batches(squares: Sequence[Square], batch_size: int, seed: int) -> tf.data.Dataset:
    most = max(len(each.boxes.classes) for each in squares)

    def examples() -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        for index, mirrored in endless(len(squares), seed):
            each = squares[index].mirrored() if mirrored else squares[index]
            boxes, labels = np.full((most, 4), -1, np.float32), np.full(most, -1, np.int64)
            count = len(each.boxes.classes)
            boxes[:count], labels[:count] = each.boxes.corners, each.boxes.classes
            yield each.pixels.astype(np.float32), {"boxes": boxes, "labels": labels}

    signature = (
        tf.TensorSpec(squares[0].pixels.shape, tf.float32),
        {
            "boxes": tf.TensorSpec((most, 4), tf.float32),
            "labels": tf.TensorSpec((most,), tf.int64),
        },
    )
    dataset = tf.data.Dataset.from_generator(examples, output_signature=signature)
    return dataset.batch(batch_size).prefetch(2)


def _found(model: keras.Model, squares: Sequence[Square], batch_size: int) -> list[Boxes]:
    """The boxes that a detector finds, in pixels of the photographs."""

    @tf.function  # again for a smaller last batch: KerasHub must know its size
    def detect(images: tf.Tensor) -> Any:
        # KerasHub's predict_on_batch decodes only what has labels.
        return model.decode_predictions(model(images, training=False), images)

    found: list[Boxes] = []
    for start in range(0, len(squares), batch_size):
        some = squares[start : start + batch_size]
        answers = detect(tf.constant(np.stack([each.pixels for each in some]), tf.float32))
        found += [each.back(boxes) for each, boxes in zip(some, boxes_of(answers), strict=True)]
    return found
