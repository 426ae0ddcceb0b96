"""DeepLabV3, fine-tuned: how well a backbone segments once it may learn to."""

from collections.abc import Iterable, Iterator

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from harl_tf.backbones import rebuild
from harl_tf.backbones.strides import level_number
from harl_tf.evaluation.dense.overlap import VOID, Overlap, confusion
from harl_tf.evaluation.fine_tuned.endless import endless
from harl_tf.evaluation.fine_tuned.usable import check_pyramid, refuse_diverged
from harl_tf.evaluation.labels import check_images
from harl_tf.layers import FusedBatchNormalization

_FINE = "P2"
"""The map that DeepLabV3+ adds to the coarse one."""

_MOMENTUM = 0.9
"""Of the batch normalization in DeepLabV3's own layers. With KerasHub's .99, a fine-tuning of 200
steps would be scored with statistics that are still 13 % those of its first weights."""

Examples = tuple[list[np.ndarray], list[np.ndarray]]
"""Images and label maps, all of one size."""


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

    Every layer that is trainable is trained, with AdamW along a cosine, on the images and their
    mirror images.

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
        void: Label of pixels that do not count; no pixel is found to be of it. Default: 255.
        seed: Of the head, the order and the mirroring. Default: 0.

    Returns:
        The overlap, over all test images.

    Raises:
        ValueError: If images or labels are not as described, or DeepLabV3 cannot be made of the
            backbone (``check_segmenter``).
        FloatingPointError: If the training diverges.

    Example:
        ::

            data = harl_tf.evaluation.image_masks("images", "masks", size=96)
            fine_tuned_segmentation(backbone, data.only(first), data.only(rest), 2, steps=500)
    """
    learned, scored = (_together(part, classes, void) for part in (train, test))
    shape = learned[0][0].shape
    check_segmenter(backbone, shape[:2])
    keras.utils.set_random_seed(seed)
    model = _deeplab(rebuild(backbone, FusedBatchNormalization), shape, classes)
    model.compile(
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(rate, steps)),
        keras.losses.SparseCategoricalCrossentropy(ignore_class=void),
        jit_compile=False,
    )
    batches = _mirrored(learned, seed).batch(batch_size).prefetch(2)
    model.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False)
    refuse_diverged(model)
    confusions = []
    for image, truth in zip(*scored, strict=True):
        shares = model.predict_on_batch(image[None].astype(np.float32))[0]
        shares[..., [void] if 0 <= void < classes else []] = -1
        confusions.append(confusion(truth, shares.argmax(axis=-1), classes, void))
    return Overlap("DeepLabV3", np.stack(confusions))


def check_segmenter(backbone: keras.Model, size: tuple[int, int]) -> None:
    """Checks that a DeepLabV3 can be made of a backbone for images of a size.

    Args:
        backbone: The backbone.
        size: Height and width in pixels.

    Raises:
        ValueError: If the backbone has no map of a stride of 4, or the size is no multiple of the
            stride of its last one.

    Example:
        >>> check_segmenter(resnet(18), (64, 96))
    """
    check_pyramid(backbone)
    levels = _levels(backbone)
    if _FINE not in levels or levels == [_FINE]:
        raise ValueError(
            f"Expected a backbone with maps called by their strides, {_FINE} and a coarser one "
            f"among them. Received: {', '.join(backbone.output)}."
        )
    stride = _stride(levels[-1])
    if any(side % stride for side in size):
        raise ValueError(
            f"Expected images whose sides are multiples of {stride}, the stride of {levels[-1]}. "
            f"Received: {size[0]}×{size[1]} pixels."
        )


def _levels(backbone: keras.Model) -> list[str]:
    return [name for name in backbone.output if level_number(name) is not None]


def _stride(level: str) -> int:
    return 2 ** int(level[1:])


def _deeplab(backbone: keras.Model, shape: tuple[int, ...], classes: int) -> keras.Model:
    """DeepLabV3, which trains the backbone along."""
    last = _levels(backbone)[-1]
    network = keras_hub.models.DeepLabV3Backbone(
        image_encoder=backbone,
        low_level_feature_key=_FINE,
        spatial_pyramid_pooling_key=last,
        upsampling_size=_stride(last) // 4,
        # The published rates are for maps of 33 cells and more; beyond a map's edge is nothing.
        dilation_rates=[6, 12, 18] if min(shape[:2]) // _stride(last) >= 33 else [1, 2, 3],
        image_shape=shape,
    )
    model = keras_hub.models.DeepLabV3ImageSegmenter(
        network, num_classes=classes, activation="softmax"
    )
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = min(layer.momentum, _MOMENTUM)
    return model


def _mirrored(examples: Examples, seed: int) -> tf.data.Dataset:
    """Endless examples, half of them mirrored, a channel of labels each."""
    shape = examples[0][0].shape

    def one_by_one() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for index, mirrored in endless(len(examples[0]), seed):
            image, labels = (part[index][:, :: -1 if mirrored else 1] for part in examples)
            yield image.astype(np.float32), labels[..., None].astype(np.int32)

    signature = (
        tf.TensorSpec(shape, tf.float32),
        tf.TensorSpec((*shape[:2], 1), tf.int32),
    )
    return tf.data.Dataset.from_generator(one_by_one, output_signature=signature)


def _together(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], classes: int, void: int
) -> Examples:
    """All of them, the labels checked; a byte for a label where that suffices."""
    images: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    for some, theirs in batches:
        check_images(some)
        theirs = np.asarray(theirs)
        confusion(theirs, np.zeros_like(theirs), classes, void)  # refuses labels beyond the classes
        images += list(np.asarray(some))
        labels += list(theirs.astype(np.uint8 if 0 <= void < 256 and classes <= 256 else np.int32))
    sizes = sorted({each.shape[:2] for each in images} | {each.shape for each in labels})
    if len(sizes) != 1:
        found = ", ".join("×".join(map(str, size)) for size in sizes) or "no images"
        raise ValueError(
            "Expected images and label maps (batch, height, width) of one size, such as those of "
            f"image_masks(..., size=N). Received: {found}."
        )
    return images, labels
