"""SimCLR: contrast each image with all other images of the batch."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from harl_tf.losses import nt_xent
from harl_tf.losses.temperature import check_temperature
from harl_tf.pretraining.branch import Branch
from harl_tf.pretraining.branch_output import (
    EMBEDDING_METRICS,
    BranchOutput,
    LossTerm,
    embedding_metrics,
)
from harl_tf.pretraining.feature_maps import channels, pooled, select_map
from harl_tf.pretraining.forward import Forward
from harl_tf.pretraining.heads import mlp_head
from harl_tf.pretraining.model import Pretraining


@keras.saving.register_keras_serializable(package="harl_tf")
class InstanceContrast(Branch):
    """NT-Xent on the pooled and projected last map; negatives come from all replicas.

    Args:
        projection_units: Length of the embeddings. Default: 128.
        hidden_units: Width of the projector. Default: 2048.
        temperature: Positive. Default: 0.2.
    """

    metric_names: tuple[str, ...] = EMBEDDING_METRICS
    least_images = 2

    def __init__(
        self, projection_units: int = 128, hidden_units: int = 2048, temperature: float = 0.2
    ) -> None:
        super().__init__(name="instance_contrast")
        check_temperature(temperature)
        self.projection_units, self.hidden_units = projection_units, hidden_units
        self.temperature = temperature

    def connect(self, maps: Mapping[str, keras.KerasTensor]) -> None:
        """Makes the projector."""
        depth = channels(maps)
        self.projector = mlp_head(depth, self.hidden_units, self.projection_units, "projector")

    def loss_terms(self, forward: Forward) -> BranchOutput:
        """NT-Xent of the two views' embeddings."""
        features = [pooled(select_map(forward.online[view])) for view in (0, 1)]
        embeddings = forward.through(self.projector, *features)
        of_views = nt_xent(embeddings[0], embeddings[1], self.temperature)
        losses = tf.reduce_mean(tf.reshape(of_views, (2, -1)), axis=0)
        metrics = embedding_metrics(embeddings[0], embeddings[1])
        return BranchOutput(LossTerm(losses), metrics)


@keras.saving.register_keras_serializable(package="harl_tf")
class SimCLR(Pretraining):
    """A Simple Framework for Contrastive Learning of Visual Representations (Chen et al. 2020).

    Args:
        backbone: A model made by ``harl_tf.backbones.resnet`` or ``feature_pyramid``.
        projection_units: Length of the embeddings. Default: 128.
        hidden_units: Width of the projector. Default: 2048.
        temperature: Positive. Default: 0.1, the paper's value for large batches.
        **options: Arguments of ``Pretraining``: ``augmentations``, ``share_batch_statistics``,
            ``name``.

    Example:
        >>> model = harl_tf.SimCLR(resnet(18), hidden_units=512)
        >>> model.compile(keras.optimizers.SGD(0.1))
    """

    def __init__(
        self,
        backbone: keras.Model,
        projection_units: int = 128,
        hidden_units: int = 2048,
        temperature: float = 0.1,
        **options: Any,
    ) -> None:
        branch = InstanceContrast(projection_units, hidden_units, temperature)
        super().__init__(backbone, {"instance": branch}, **{"name": "simclr", **options})
