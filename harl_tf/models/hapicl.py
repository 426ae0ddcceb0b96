"""HAPiCL: pixel-level contrastive learning guided by foreground masks.

Owns how the pieces are put together; the formulas are in ``harl_tf.losses``.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from harl_tf import distribution
from harl_tf.losses import cell_labels, nt_xent, pixel_contrast
from harl_tf.models.heads import mlp_head
from harl_tf.models.pretraining import Pretraining, View, embedding_std


@keras.saving.register_keras_serializable(package="harl_tf")
class HAPiCL(Pretraining):
    """Heuristic Attention Pixel-Level Contrastive Learning, with SimCLR's instance branch.

    One backbone sees two views of each image. Pooled, its last map goes through a projector into
    NT-Xent: an image is to be told from all other images. Unpooled, it goes through a pixel head,
    and each cell is to be told from the cells of the other region, foreground or background, in
    the other view of the same image. The loss is ``instance + pixel_weight * pixel``.

    Tran et al., HAPiCLR: heuristic attention pixel-level contrastive loss representation learning
    for self-supervised pretraining, The Visual Computer (2024), doi 10.1007/s00371-023-03217-x.

    Args:
        backbone: A model as ``harl_tf.models.resnet`` or ``feature_pyramid`` makes it.
        level: Name of the backbone's map that is trained on. Default: its last one.
        projection_units: Dimensions of the instance embedding. Default: 128.
        pixel_units: Dimensions of a cell's embedding; the paper's run used 2048. Default: 256.
        hidden_units: Width of both heads' hidden layer. Default: 2048.
        instance_temperature: NT-Xent's temperature. Default: 0.2.
        pixel_temperature: The pixel loss's temperature τ. Default: 0.2.
        foreground_weight: Share of the foreground in the pixel loss, the paper's α. Default: 0.5.
        pixel_weight: Weight of the pixel loss, λ; 0 gives SimCLR. Default: 1.
        boundary_margin: Cells whose foreground share is nearer than this to one half are left out
            of the pixel loss. Default: 0.
        augmentations: Colour augmentation of the first and of the second view. Default: SimCLR's.
        name: Name of the model. Default: ``"hapicl"``.

    Raises:
        ValueError: If ``level`` is not one of the backbone's maps.

    Example:
        >>> model = HAPiCL(resnet(18), hidden_units=32)
        >>> model.compile(keras.optimizers.SGD(0.1))
        >>> views = np.zeros((2, 64, 64, 3), "uint8")
        >>> masks, draws = np.zeros((2, 64, 64), "uint8"), np.full((2, 9), 0.9, "float32")
        >>> batch = dict(view1=views, view2=views, mask1=masks, mask2=masks)
        >>> terms = model.train_step(dict(**batch, draws1=draws, draws2=draws))
        >>> sorted(terms)
        ['embedding_std', 'foreground_share', 'loss', 'loss_instance', 'loss_pixel']
    """

    metric_names = ("loss", "loss_instance", "loss_pixel", "embedding_std", "foreground_share")

    def __init__(
        self,
        backbone: keras.Model,
        level: str | None = None,
        projection_units: int = 128,
        pixel_units: int = 256,
        hidden_units: int = 2048,
        instance_temperature: float = 0.2,
        pixel_temperature: float = 0.2,
        foreground_weight: float = 0.5,
        pixel_weight: float = 1.0,
        boundary_margin: float = 0.0,
        augmentations: Sequence[keras.layers.Layer] | None = None,
        name: str = "hapicl",
    ) -> None:
        super().__init__(backbone, augmentations, name=name)
        maps = backbone.output
        level = level or list(maps)[-1]
        if level not in maps:
            raise ValueError(f"Expected level in {sorted(maps)}. Received: level={level!r}.")
        self.level = level
        self.settings = {
            "projection_units": projection_units,
            "pixel_units": pixel_units,
            "hidden_units": hidden_units,
            "instance_temperature": instance_temperature,
            "pixel_temperature": pixel_temperature,
            "foreground_weight": foreground_weight,
            "pixel_weight": pixel_weight,
            "boundary_margin": boundary_margin,
        }
        channels = maps[level].shape[-1]
        self.projector = mlp_head(channels, hidden_units, projection_units, "projector")
        self.pixel_head = mlp_head(channels, hidden_units, pixel_units, "pixel_head")

    def loss_terms(self, view1: View, view2: View, training: bool) -> dict[str, tf.Tensor]:
        """Instance and pixel terms of both views; see ``Pretraining.loss_terms``."""
        # Both views in one pass: their batch statistics are shared, as in SimCLR.
        images = tf.concat([view1.images, view2.images], axis=0)
        features = self.backbone(images, training=training)[self.level]
        embeddings = self.projector(tf.reduce_mean(features, axis=(1, 2)), training=training)
        instance = self._instance_loss(embeddings)
        pixel = self._pixel_loss(features, view1, view2, training)
        share = tf.cast(tf.stack([view1.masks, view2.masks], axis=1), tf.float32)
        return {
            "loss": instance + self.settings["pixel_weight"] * pixel,
            "loss_instance": instance,
            "loss_pixel": pixel,
            "embedding_std": embedding_std(embeddings),
            "foreground_share": distribution.share_of_global_mean(
                tf.reduce_mean(share, axis=(1, 2, 3))
            ),
        }

    def _instance_loss(self, embeddings: tf.Tensor) -> tf.Tensor:
        first, second = tf.split(embeddings, 2, axis=0)
        losses = nt_xent(first, second, self.settings["instance_temperature"])
        return distribution.share_of_global_mean(losses)

    def _pixel_loss(
        self, features: tf.Tensor, view1: View, view2: View, training: bool
    ) -> tf.Tensor:
        """Mean over images, then over the two directions."""
        _, height, width, channels = features.shape
        grid = (height, width)
        cells = self.pixel_head(tf.reshape(features, (-1, channels)), training=training)
        cells = tf.reshape(cells, (-1, height * width, self.settings["pixel_units"]))
        cells1, cells2 = tf.split(cells, 2, axis=0)
        labels1, labels2 = (
            cell_labels(view.masks, grid, self.settings["boundary_margin"])
            for view in (view1, view2)
        )
        directions = []
        for queries, keys, query_labels, key_labels in (
            (cells1, cells2, labels1, labels2),
            (cells2, cells1, labels2, labels1),
        ):
            contrast = pixel_contrast(
                queries,
                keys,
                query_labels.regions,
                key_labels.regions,
                query_labels.valid,
                key_labels.valid,
                self.settings["pixel_temperature"],
                self.settings["foreground_weight"],
            )
            directions.append(distribution.share_of_global_mean(contrast.loss, contrast.counted))
        return (directions[0] + directions[1]) / 2.0

    def get_config(self) -> dict[str, Any]:
        """Configuration from which the model can be rebuilt."""
        return {**super().get_config(), "level": self.level, **self.settings}
