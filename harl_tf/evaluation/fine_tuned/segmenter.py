"""DeepLabV3, fine-tuned: how well a backbone segments once it may learn to."""

from collections.abc import Iterable

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from harl_tf.backbones import rebuild
from harl_tf.backbones.strides import level_number
from harl_tf.evaluation.dense.overlap import VOID, Overlap, confusion
from harl_tf.evaluation.labels import check_images
from harl_tf.layers import FusedBatchNormalization

_FINE = "P2"
"""The map that DeepLabV3+ adds to the coarse one."""


def fine_tuned_segmentation(
    backbone: keras.Model,
    train: Iterable[tuple[np.ndarray, np.ndarray]],
    test: Iterable[tuple[np.ndarray, np.ndarray]],
    classes: int,
    steps: int,
    rate: float = 1e-3,
    batch_size: int = 16,
    void: int = VOID,
    seed: int = 0,
) -> Overlap:
    """Segments test images by KerasHub's DeepLabV3 (Chen et al. 2018), trained on a copy.

    Every layer is trained, with AdamW along a cosine, on the images and their mirror images.

    Args:
        backbone: A backbone as ``load_backbone`` and ``open_backbone`` return it. It is not
            changed.
        train: Batches of images ``(batch, height, width, 3)``, 0–255, and label maps ``(batch,
            height, width)``, all of one size, a multiple of the stride of the last map. They are
            kept in memory.
        test: Likewise.
        classes: Number of classes.
        steps: Length of the fine-tuning.
        rate: Learning rate at the start. Default: 0.001.
        batch_size: Images of a step. Default: 16.
        void: Label of pixels that do not count. Default: 255.
        seed: Of the head, the order and the mirroring. Default: 0.

    Returns:
        The overlap, over all test images.

    Raises:
        ValueError: If images or labels are not as described, or the backbone has no map of stride
            4.

    Example:
        ::

            data = harl_tf.evaluation.image_masks("images", "masks", size=96)
            fine_tuned_segmentation(backbone, data.only(first), data.only(rest), 2, steps=500)
    """
    (images, labels), (tested, truth) = _together(train), _together(test)
    keras.utils.set_random_seed(seed)
    model = _deeplab(backbone, images.shape[1:], classes)
    for given in (labels, truth):  # refuses labels outside the classes
        confusion(given, np.zeros_like(given), classes, void)
    model.compile(
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(rate, steps)),
        keras.losses.SparseCategoricalCrossentropy(ignore_class=void),
        jit_compile=False,
    )
    batches = _mirrored((images, labels[..., None]), seed).batch(batch_size).prefetch(2)
    model.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False)
    found = np.concatenate(
        [
            model.predict_on_batch(tested[start : start + batch_size]).argmax(axis=-1)
            for start in range(0, len(tested), batch_size)
        ]
    )
    pairs = zip(truth, found, strict=True)
    return Overlap("DeepLabV3", np.stack([confusion(*pair, classes, void) for pair in pairs]))


def _deeplab(backbone: keras.Model, shape: tuple[int, ...], classes: int) -> keras.Model:
    """DeepLabV3 on a copy of the backbone."""
    *_, last = backbone.output
    number = level_number(last)
    if _FINE not in backbone.output or number is None:
        raise ValueError(
            f"Expected a backbone with maps called by their strides, {_FINE} among them. Received: "
            f"{', '.join(backbone.output)}. See harl_tf.backbones.feature_pyramid."
        )
    stride = 2**number
    if any(side % stride for side in shape[:2]):
        raise ValueError(
            f"Expected images whose sides are multiples of {stride}, the stride of {last}. "
            f"Received: {shape[0]}×{shape[1]} pixels."
        )
    cells = min(shape[:2]) // stride
    network = keras_hub.models.DeepLabV3Backbone(
        image_encoder=rebuild(backbone, FusedBatchNormalization),
        low_level_feature_key=_FINE,
        spatial_pyramid_pooling_key=last,
        upsampling_size=stride // 4,
        # The published rates are for maps of 33 cells and more; beyond a map's edge is nothing.
        dilation_rates=[6, 12, 18] if cells >= 33 else [1, 2, 3],
        image_shape=shape,
    )
    return keras_hub.models.DeepLabV3ImageSegmenter(
        network, num_classes=classes, activation="softmax"
    )


def _mirrored(examples: tuple[np.ndarray, np.ndarray], seed: int) -> tf.data.Dataset:
    """Endless examples, all before any is seen again, half of them mirrored."""

    def mirror(index: tf.Tensor, example: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
        where = tf.stack([tf.constant(seed, tf.int64), index])
        image, labels = example
        both = tf.concat([tf.cast(image, tf.int32), tf.cast(labels, tf.int32)], axis=-1)
        both = tf.image.stateless_random_flip_left_right(both, where)
        return tf.cast(both[..., :3], tf.float32), both[..., 3:]

    dataset = tf.data.Dataset.from_tensor_slices(examples)
    return dataset.shuffle(len(examples[0]), seed=seed).repeat().enumerate().map(mirror)


def _together(batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    images, labels = [], []
    for some, theirs in batches:
        check_images(some)
        images.append(np.asarray(some))
        labels.append(np.asarray(theirs))
    sizes = sorted({each.shape[1:3] for each in images} | {each.shape[1:] for each in labels})
    if len(sizes) != 1:
        found = ", ".join("×".join(map(str, size)) for size in sizes) or "no images"
        raise ValueError(
            "Expected images and label maps (batch, height, width) of one size, such as those of "
            f"image_masks(..., size=N). Received: {found}."
        )
    return np.concatenate(images), np.concatenate(labels).astype(np.int64)
