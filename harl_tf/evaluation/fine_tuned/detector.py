"""RetinaNet, fine-tuned: how well a backbone detects once it may learn to."""

import math
from collections.abc import Iterator, Sequence

import keras
import keras_hub
import numpy as np
import tensorflow as tf
from PIL import Image

from harl_tf.backbones import FeaturePyramid, rebuild
from harl_tf.evaluation.datasets.annotated import Annotated
from harl_tf.evaluation.dense.detection import Boxes, Precision, average_precision, boxes_of
from harl_tf.evaluation.fine_tuned.heads import fresh_heads
from harl_tf.evaluation.optional import needed
from harl_tf.layers import FusedBatchNormalization

_FINEST, _COARSEST, _MOST = 3, 5, 7
"""Levels of RetinaNet: from a stride of 8; from the backbone, to 32; in all, to 128."""

_LARGEST_ANCHOR = 4 * 2 ** (2 / 3)
"""Side of the largest anchor of a level, in strides (Lin et al. 2017, section 4)."""


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

    Every layer is trained, with AdamW along a cosine, on the photographs and their mirror images.
    A photograph is scaled until its longer side is ``size``, and filled up to a square. Boxes that
    are ignored in scoring are not trained on.

    Args:
        backbone: A backbone as ``load_backbone`` and ``open_backbone`` return it. It is not
            changed.
        train: Photographs with boxes: ``images`` of what ``read_coco`` and ``read_voc`` return.
            They are kept in memory, scaled.
        test: Likewise.
        classes: Number of classes.
        size: Side of the squares in pixels, a multiple of 32.
        steps: Length of the fine-tuning.
        rate: Learning rate at the start. Default: 0.001.
        batch_size: Images of a step. Default: 8.
        seed: Of the head, the order and the mirroring. Default: 0.

    Returns:
        COCO's average precision.

    Raises:
        ValueError: If the size is no multiple of 32, the backbone has no map of stride 8, there
            are no photographs with boxes, or a label is outside the classes.
        ImportError: If pycocotools is not installed.

    Example:
        ::

            data = harl_tf.evaluation.read_voc("Annotations", "JPEGImages")
            parts = data.images[::2], data.images[1::2]
            fine_tuned_detection(backbone, *parts, len(data.classes), size=256, steps=2000)
    """
    needed("pycocotools.coco", "pycocotools")  # before the training, not after it
    _check(backbone, train, test, classes, size)
    keras.utils.set_random_seed(seed)
    model = _retinanet(rebuild(backbone, FusedBatchNormalization), classes, size)
    fresh_heads(model, seed)
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
    model.compile(keras.optimizers.AdamW(schedule), jit_compile=False)
    batches = _batches(train, size, batch_size, seed)
    model.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False)

    @tf.function  # again for a smaller last batch: KerasHub must know its size
    def detect(images: tf.Tensor) -> dict[str, tf.Tensor]:
        # KerasHub's predict_on_batch decodes only what has labels.
        return model.decode_predictions(model(images, training=False), images)

    found: list[Boxes] = []
    for start in range(0, len(test), batch_size):
        squares = [_square(each, size) for each in test[start : start + batch_size]]
        answers = detect(tf.constant(np.stack([image for image, _ in squares])))
        for boxes, (_, scale) in zip(boxes_of(answers), squares, strict=True):
            found.append(boxes._replace(corners=boxes.corners / scale))
    truth, ignored = [each.boxes for each in test], [each.ignored for each in test]
    return average_precision(truth, found, ignored)


def _check(
    backbone: keras.Model,
    train: Sequence[Annotated],
    test: Sequence[Annotated],
    classes: int,
    size: int,
) -> None:
    levels = getattr(backbone, "pyramid_outputs", backbone.output)
    if not isinstance(backbone, FeaturePyramid) or f"P{_FINEST}" not in levels:
        raise ValueError(
            f"Expected a backbone of load_backbone or open_backbone with a map of stride "
            f"{2**_FINEST}, P{_FINEST}. Received: {', '.join(levels)}."
        )
    if size < 1 or size % 2**_COARSEST:
        raise ValueError(
            f"Expected a size that is a multiple of {2**_COARSEST}, the stride of RetinaNet's P5. "
            f"Received: size={size}."
        )
    for part, what in ((train, "train"), (test, "test")):
        labels = [label for each in part for label in each.boxes.classes]
        if not labels or not 0 <= min(labels) <= max(labels) < classes:
            found = f"labels from {min(labels)} to {max(labels)}" if labels else "no box"
            raise ValueError(
                f"Expected boxes to {what} on with labels from 0 to {classes - 1}. "
                f"Received: {found}."
            )


def _retinanet(backbone: keras.Model, classes: int, size: int) -> keras.Model:
    """With as many levels as it takes until the largest anchor is as large as the square."""
    needed_levels = math.ceil(math.log2(max(size / _LARGEST_ANCHOR, 1)))
    most = min(max(needed_levels, _COARSEST), _MOST)
    pyramid = keras_hub.models.RetinaNetBackbone(
        backbone, min_level=_FINEST, max_level=most, use_p5=False, image_shape=(size, size, 3)
    )
    return keras_hub.models.RetinaNetObjectDetector(
        pyramid,
        num_classes=classes,
        bounding_box_format="xyxy",
        prediction_decoder=keras_hub.layers.NonMaxSuppression(
            bounding_box_format="xyxy", from_logits=True, confidence_threshold=0.05
        ),
    )


def _square(each: Annotated, size: int) -> tuple[np.ndarray, float]:
    """A photograph in the upper left of a square, and the factor by which it was scaled."""
    try:
        image = Image.open(each.path).convert("RGB")
    except (OSError, SyntaxError) as error:
        raise ValueError(f"{each.path} cannot be read as an image: {error}.") from error
    scale = size / max(image.size)
    sides = [max(1, round(side * scale)) for side in image.size]
    square = np.zeros((size, size, 3), np.float32)
    scaled = image.resize((sides[0], sides[1]), Image.Resampling.BILINEAR)
    square[: sides[1], : sides[0]] = np.asarray(scaled)
    return square, scale


def _batches(train: Sequence[Annotated], size: int, batch_size: int, seed: int) -> tf.data.Dataset:
    """Endless batches of all photographs before any is seen again, half of them mirrored."""
    most = max(len(each.boxes.classes) for each in train)
    squares = [_square(each, size) for each in train]

    def examples() -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        random = np.random.default_rng(seed)
        while True:
            for index in random.permutation(len(train)):
                image, scale = squares[index]
                given = train[index].boxes
                corners = np.clip(given.corners * scale, 0, size)
                if random.random() < 0.5:
                    image = image[:, ::-1]
                    left, top, right, bottom = corners.T
                    corners = np.stack([size - right, top, size - left, bottom], axis=1)
                boxes = np.full((most, 4), -1, np.float32)
                labels = np.full(most, -1, np.int64)
                boxes[: len(corners)], labels[: len(corners)] = corners, given.classes
                yield image, {"boxes": boxes, "labels": labels}

    signature = (
        tf.TensorSpec((size, size, 3), tf.float32),
        {
            "boxes": tf.TensorSpec((most, 4), tf.float32),
            "labels": tf.TensorSpec((most,), tf.int64),
        },
    )
    dataset = tf.data.Dataset.from_generator(examples, output_signature=signature)
    return dataset.batch(batch_size).prefetch(2)
