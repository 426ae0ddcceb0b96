"""Fine-tuning a whole network on labeled images, to see what its start was worth."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from harl_tf.evaluation.fine_tuned.usable import refuse_diverged
from harl_tf.evaluation.labels import check_images, check_labels

Examples = tuple[np.ndarray, np.ndarray]
"""Images and labels."""


class FineTuning:
    """A classifier that is fine-tuned again and again, each time from given weights.

    Every layer that is trainable is trained, with AdamW, on random crops, half of them mirrored;
    the classification layer has the same first weights each time. Two starts are compared on the
    same labels with the same seed.

    Args:
        backbone: A model from images of any size to a dict of feature maps. Its weights are
            replaced.
        classes: Number of classes.
        side: Side of the random crops it is trained on, in pixels.
        rate: Learning rate at the start; it falls to 0 along a cosine.
        batch_size: Images of a step. Default: 32.
        weight_decay: Of AdamW. Default: 0.0001.

    Example:
        >>> backbone = harl_tf.backbones.small_resnet(10, width=8)
        >>> tuning = FineTuning(backbone, classes=2, side=16, rate=1e-3, batch_size=4)
        >>> data = np.zeros((4, 24, 24, 3), "uint8"), np.array([0, 1, 0, 1])
        >>> tuning.accuracy(backbone.get_weights(), data, data, steps=2)
        0.5
    """

    def __init__(
        self,
        backbone: keras.Model,
        classes: int,
        side: int,
        rate: float,
        batch_size: int = 32,
        weight_decay: float = 1e-4,
    ) -> None:
        images = keras.Input((None, None, 3))
        last = list(backbone.output)[-1]
        pooled = keras.layers.GlobalAveragePooling2D()(backbone(images)[last])
        outputs = keras.layers.Dense(classes, name="classes", dtype="float32")(pooled)
        self.classifier = keras.Model(images, outputs)
        self.classifier.compile(
            keras.optimizers.AdamW(rate, weight_decay=weight_decay),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=False,
        )
        self.classifier.optimizer.build(self.classifier.trainable_variables)
        self._backbone, self._side, self._rate = backbone, side, rate
        self._batch_size = batch_size
        # Of the classification layer and of the optimizer; building a classifier for each
        # fine-tuning would take longer than the shortest of them.
        fresh = [*self.classifier.layers[-1].weights, *self.classifier.optimizer.variables]
        self._fresh = [(variable, variable.numpy()) for variable in fresh]

    def accuracy(
        self,
        weights: Sequence[np.ndarray],
        train: Examples,
        test: Examples,
        steps: int,
        seed: int = 0,
    ) -> float:
        """Fine-tunes the backbone from weights, and classifies other images.

        Args:
            weights: The backbone's, in the order of ``get_weights``.
            train: Images ``(images, height, width, 3)``, 0–255, and labels ``(images,)`` to learn
                from.
            test: Likewise, to classify.
            steps: Length of the fine-tuning.
            seed: Seed of the order and the crops of the training images. Default: 0.

        Returns:
            Accuracy within [0, 1].

        Raises:
            ValueError: If images or labels are not as described, or smaller than a crop.
            FloatingPointError: If the training diverges.
        """
        for images, labels in (train, test):
            check_images(images)
            check_labels(labels)
        if min(train[0].shape[1:3]) < self._side:
            raise ValueError(
                f"Expected training images of at least {self._side} pixels, the side of a crop. "
                f"Received: {train[0].shape[1]}×{train[0].shape[2]} pixels."
            )
        self._backbone.set_weights(weights)
        for variable, value in self._fresh:
            variable.assign(value)
        crops = random_crops(train, self._side, seed).batch(self._batch_size).prefetch(2)
        self.classifier.fit(
            crops,
            steps_per_epoch=steps,
            verbose=0,
            shuffle=False,
            callbacks=[_Cosine(self._rate, steps)],
        )
        refuse_diverged(self.classifier)
        found = self.classifier.evaluate(*test, batch_size=128, verbose=0)
        return float(found[1])


class _Cosine(keras.callbacks.Callback):
    """Keras's schedule as a callback: the length of a schedule inside an optimizer is fixed."""

    def __init__(self, rate: float, steps: int) -> None:
        super().__init__()
        self._schedule = keras.optimizers.schedules.CosineDecay(rate, steps)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the rate of the step."""
        self.model.optimizer.learning_rate = float(self._schedule(batch))


def random_crops(train: Examples, side: int, seed: int) -> tf.data.Dataset:
    """Endless crops, half of them mirrored, of all images before any is seen again.

    Args:
        train: Images and labels.
        side: Side of the crops in pixels.
        seed: Of the places and the mirroring, and with TensorFlow's global seed of the order.

    Example:
        >>> data = np.zeros((4, 24, 24, 3), "uint8"), np.array([0, 1, 0, 1])
        >>> next(iter(random_crops(data, 16, seed=0)))[0].shape
        TensorShape([16, 16, 3])
    """

    def crop(index: tf.Tensor, example: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        image, label = example
        where = tf.stack([tf.constant(seed, tf.int64), index])
        image = tf.image.stateless_random_crop(image, (side, side, 3), where)
        return tf.image.stateless_random_flip_left_right(image, where), label

    examples = tf.data.Dataset.from_tensor_slices(train)
    examples = examples.shuffle(len(train[1]), seed=seed).repeat()
    options = tf.data.Options()
    options.autotune.enabled = False
    return examples.enumerate().map(crop).with_options(options)
