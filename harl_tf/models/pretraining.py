"""What every pretraining method shares: two views in, named loss terms out, one training step.

Owns the training step, the reported metrics and the check of the batch. It owns no objective:
methods subclass ``Pretraining`` and say what their loss terms are.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from harl_tf import distribution
from harl_tf.layers import RandomColour
from harl_tf.losses import l2_normalize

BATCH_KEYS = ("view1", "view2", "mask1", "mask2", "draws1", "draws2")
"""What a batch must hold; ``harl_tf.data.PairedViews`` makes them."""


class View(NamedTuple):
    """One augmented view of a batch of images.

    Attributes:
        images: ``(batch, height, width, 3)`` float32, 0–255.
        masks: ``(batch, height, width)`` uint8, 1 = foreground.
    """

    images: tf.Tensor
    masks: tf.Tensor


class Pretraining(keras.Model):
    """Base class of the methods: a backbone, two colour augmentations, a training step.

    A subclass defines ``loss_terms(view1, view2, training)`` and lists in ``metric_names`` what
    that returns. Called on images, the model is its backbone.

    Args:
        backbone: A model as ``harl_tf.models.feature_pyramid`` or ``resnet`` makes it.
        augmentations: The colour augmentation of the first and of the second view. Default:
            SimCLR's, the same for both.
        name: Name of the model.
    """

    metric_names: Sequence[str] = ("loss",)

    def __init__(
        self,
        backbone: keras.Model,
        augmentations: Sequence[keras.layers.Layer] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not isinstance(getattr(backbone, "output", None), dict):
            raise ValueError(
                "Expected a backbone whose output is a dict of feature maps, as "
                "harl_tf.models.resnet(50) or harl_tf.models.feature_pyramid(network) makes it. "
                f"Received: {backbone!r}."
            )
        if augmentations is None:
            augmentations = (simclr_colour(), simclr_colour())
        if len(augmentations) != 2:
            raise ValueError(
                "Expected two augmentations, one for each view. "
                f"Received: {len(augmentations)} of them."
            )
        self.backbone = backbone
        self.augmentation1 = augmentations[0]
        self.augmentation2 = augmentations[1]
        self._means = {name: keras.metrics.Mean(name=name) for name in self.metric_names}
        # Not by XLA: on CPUs it is slower than the kernels it replaces, and it cannot compile a
        # step that several replicas share.
        self.supports_jit = False
        self.built = True

    def loss_terms(self, view1: View, view2: View, training: bool) -> dict[str, tf.Tensor]:
        """The objective of the method.

        Args:
            view1: First views.
            view2: Second views of the same images.
            training: Whether batch statistics are used and learnt.

        Returns:
            A scalar for each of ``metric_names``, each this replica's share of a mean over the
            global batch; ``"loss"`` is what is minimised.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define loss_terms().")

    def augment(self, batch: Mapping[str, tf.Tensor]) -> tuple[View, View]:
        """Makes the two views of a batch, colours included.

        Args:
            batch: Tensors under ``BATCH_KEYS``; others are ignored.

        Returns:
            The first and the second view.

        Raises:
            ValueError: If a key is missing or a mask is not of its images' size.
        """
        _check_batch(batch)
        return (
            View(self.augmentation1(batch["view1"], batch["draws1"]), batch["mask1"]),
            View(self.augmentation2(batch["view2"], batch["draws2"]), batch["mask2"]),
        )

    def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """``keras.Model.fit`` on the batches of ``harl_tf.data.PairedViews``.

        Raises:
            ValueError: If the replicas cannot share a batch evenly.
        """
        spec = getattr(x, "element_spec", None)
        size = spec["view1"].shape[0] if isinstance(spec, Mapping) and "view1" in spec else None
        replicas = self.distribute_strategy.num_replicas_in_sync
        if size is not None and size % replicas:
            raise ValueError(
                f"Expected a batch_size that {replicas} replicas share evenly, such as "
                f"{size - size % replicas or replicas}. Received: batch_size={size}."
            )
        return super().fit(x, *args, **kwargs)

    def train_step(self, batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of the weights; what ``fit`` calls."""
        view1, view2 = self.augment(batch)
        with tf.GradientTape() as tape:
            terms = self.loss_terms(view1, view2, training=True)
            loss = terms["loss"]
            if self.losses:  # regularizers of the user's own layers, the same on every replica
                loss += tf.cast(tf.add_n(self.losses) / distribution.replica_count(), loss.dtype)
            scaled = self.optimizer.scale_loss(loss)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(scaled, variables), variables)
        return self._report(terms)

    def test_step(self, batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The same terms without an update; what ``evaluate`` calls."""
        view1, view2 = self.augment(batch)
        return self._report(self.loss_terms(view1, view2, training=False))

    def call(self, images: tf.Tensor, training: bool | None = None) -> dict[str, tf.Tensor]:
        """Feature maps of images ``(batch, height, width, 3)``, 0–255."""
        return self.backbone(images, training=training)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The running means of the loss terms."""
        return list(self._means.values())

    def _report(self, terms: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        replicas = distribution.replica_count()
        for name, mean in self._means.items():
            mean.update_state(terms[name] * replicas)
        return {name: mean.result() for name, mean in self._means.items()}

    def get_config(self) -> dict[str, Any]:
        """Configuration from which the model can be rebuilt."""
        serialize = keras.saving.serialize_keras_object
        return {
            "name": self.name,
            "backbone": serialize(self.backbone),
            "augmentations": [serialize(self.augmentation1), serialize(self.augmentation2)],
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "Pretraining":
        """Rebuilds the model from ``get_config()``."""
        restore = keras.saving.deserialize_keras_object
        backbone = restore(config["backbone"], custom_objects=custom_objects)
        augmentations = [
            restore(layer, custom_objects=custom_objects) for layer in config["augmentations"]
        ]
        return cls(**{**config, "backbone": backbone, "augmentations": augmentations})


def simclr_colour() -> RandomColour:
    """SimCLR's colour augmentation (Chen et al. 2020, appendix A, strength 1).

    Example:
        >>> simclr_colour().strengths["brightness"]
        0.8
    """
    return RandomColour(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2)


def embedding_std(embeddings: tf.Tensor) -> tf.Tensor:
    """How far embeddings are from having collapsed into one vector.

    Args:
        embeddings: ``(rows, dimensions)``; need not be normalised.

    Returns:
        This replica's share of a scalar: the standard deviation of the normalised embeddings over
        the rows of all replicas, averaged over dimensions and multiplied by √dimensions. 1 when
        they are spread over the whole sphere, 0 when all are equal.

    Example:
        >>> float(embedding_std(tf.eye(64))) > 0.9, round(float(embedding_std(tf.ones((64, 8)))), 3)
        (True, 0.0)
    """
    unit = distribution.gather_rows(l2_normalize(tf.stop_gradient(embeddings)))
    deviation = tf.reduce_mean(tf.math.reduce_std(unit, axis=0))
    scale = float(embeddings.shape[-1]) ** 0.5
    return deviation * scale / distribution.replica_count()


def _check_batch(batch: Mapping[str, tf.Tensor]) -> None:
    keys = sorted(batch) if isinstance(batch, Mapping) else type(batch).__name__
    missing = [key for key in BATCH_KEYS if key not in keys]
    if missing:
        raise ValueError(
            f"Expected a batch with the keys {', '.join(BATCH_KEYS)}, as harl_tf.data.PairedViews "
            f"makes it. Missing: {', '.join(missing)}. Received: {keys}."
        )
    for view, mask in (("view1", "mask1"), ("view2", "mask2")):
        if batch[view].shape[1:3] != batch[mask].shape[1:3]:
            raise ValueError(
                f"Expected {mask} of the height and width of {view}, {batch[view].shape[1:3]}. "
                f"Received: {mask} of shape {batch[mask].shape}."
            )
