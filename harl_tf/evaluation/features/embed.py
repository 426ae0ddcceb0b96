"""Pooled features of a backbone for a labeled data set."""

from collections.abc import Iterable, Iterator

import keras
import numpy as np
import tensorflow as tf

from harl_tf.evaluation.features.level import one_level
from harl_tf.evaluation.labels import check_images, check_labels

_AT_ONCE = 64
"""Images that go through the network together, however many there are in a batch."""


class Embedder:
    """Turns each image into one vector: a feature map of the backbone, averaged over its cells.

    The computation is traced only once, so a probe that runs every epoch pays for it once.

    Args:
        backbone: A model from images to a dict of feature maps.
        level: Name or number of the map. Default: the last one.

    Example:
        >>> embed = Embedder(harl_tf.backbones.resnet(18))
        >>> vectors, labels = embed([(np.zeros((2, 32, 32, 3)), np.array([0, 1]))])
        >>> vectors.shape, labels.tolist()
        ((2, 512), [0, 1])
    """

    def __init__(self, backbone: keras.Model, level: str | int | None = None) -> None:
        level = one_level(backbone, level)

        @tf.function(reduce_retracing=True)
        def embed(images: tf.Tensor) -> tf.Tensor:
            features = backbone(images, training=False)[level]
            return tf.reduce_mean(tf.cast(features, tf.float32), axis=(1, 2))

        self._embed = embed

    def __call__(
        self, dataset: Iterable[tuple[tf.Tensor, tf.Tensor]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Embeds a data set of ``(images, labels)`` batches.

        Args:
            dataset: Batches of images ``(batch, height, width, 3)``, 0–255, and labels
                ``(batch,)``.

        Returns:
            Vectors, float32 ``(images, channels)``, and labels, int64 ``(images,)``.

        Raises:
            ValueError: If images or labels are not as described, or there are none.
        """
        labels: list[np.ndarray] = []

        def images_alone() -> Iterator[tf.Tensor]:
            for images, batch_labels in dataset:
                labels.append(check_labels(batch_labels))
                yield images

        vectors = self.vectors(images_alone())
        return vectors, np.concatenate(labels)

    def vectors(self, batches: Iterable[tf.Tensor]) -> np.ndarray:
        """Embeds batches of images without labels.

        Args:
            batches: Images ``(batch, height, width, 3)``, 0–255.

        Returns:
            Vectors, float32 ``(images, channels)``.

        Raises:
            ValueError: If images are not as described, or there are none.
        """
        vectors: list[np.ndarray] = []
        for images in batches:
            if not vectors:
                check_images(images)
            for first in range(0, len(images), _AT_ONCE):
                part = tf.cast(images[first : first + _AT_ONCE], tf.float32)
                vectors.append(self._embed(part).numpy())
        if not vectors:
            raise ValueError("Expected at least one batch of images. Received: none.")
        return np.concatenate(vectors)
