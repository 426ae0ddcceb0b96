"""BYOL: predict, from one view, a moving-average network's embedding of the other view."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from harl_tf.losses import cosine_distance
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
from harl_tf.schedules import Schedule


@keras.saving.register_keras_serializable(package="harl_tf")
class Bootstrap(Branch):
    """Projector and predictor on the online network, projector on the target network.

    Args:
        projection_units: Length of the embeddings. Default: 256.
        hidden_units: Width of projector and predictor. Default: 4096.
    """

    metric_names: tuple[str, ...] = EMBEDDING_METRICS
    least_images = 2
    uses_target = True

    def __init__(self, projection_units: int = 256, hidden_units: int = 4096) -> None:
        super().__init__(name="bootstrap")
        self.projection_units, self.hidden_units = projection_units, hidden_units

    def connect(self, maps: Mapping[str, keras.KerasTensor]) -> None:
        """Makes the heads for the last map."""
        self.make_heads(channels(maps))

    def make_heads(self, depth: int) -> None:
        """Makes the projector, its target and the predictor for vectors of ``depth`` channels."""
        hidden, units = self.hidden_units, self.projection_units
        self.projector = mlp_head(depth, hidden, units, "projector")
        self.predictor = mlp_head(units, hidden, units, "predictor")
        self.add_target("projector")

    def loss_terms(self, forward: Forward) -> BranchOutput:
        """The distance between predictions and targets, in both directions."""
        assert forward.target is not None
        online = [pooled(select_map(forward.online[view])) for view in (0, 1)]
        target = [pooled(select_map(forward.target[view])) for view in (0, 1)]
        embeddings, distances = self.distances(forward, online, target)
        metrics = embedding_metrics(embeddings[0], embeddings[1])
        return BranchOutput(LossTerm(distances), metrics)

    def distances(self, forward: Forward, online: Any, target: Any) -> tuple[Any, tf.Tensor]:
        """Embeddings of both views and the symmetric distance (B,), from pooled vectors (B, C)."""
        embeddings = forward.through(self.projector, online[0], online[1])
        predictions = forward.through(self.predictor, embeddings[0], embeddings[1])
        targets = forward.through(self.targets["projector"], target[0], target[1])
        forth = cosine_distance(predictions[0], targets[1])
        back = cosine_distance(predictions[1], targets[0])
        return embeddings, forth + back


@keras.saving.register_keras_serializable(package="harl_tf")
class BYOL(Pretraining):
    """Bootstrap Your Own Latent (Grill et al. 2020).

    Args:
        backbone: A model made by ``harl_tf.backbones.resnet`` or ``feature_pyramid``.
        projection_units: Length of the embeddings. Default: 256.
        hidden_units: Width of projector and predictor. Default: 4096.
        momentum: Momentum of the target network. Default: 0.99. In the paper it rises from 0.996 to
            1: ``harl_tf.schedules.Cosine(0.996, 1.0, steps)``.
        **options: Arguments of ``Pretraining``: ``augmentations``, ``name``.

    Example:
        >>> model = harl_tf.BYOL(resnet(18), hidden_units=512)
        >>> model.compile(keras.optimizers.SGD(0.1))
    """

    def __init__(
        self,
        backbone: keras.Model,
        projection_units: int = 256,
        hidden_units: int = 4096,
        momentum: Schedule = 0.99,
        **options: Any,
    ) -> None:
        branch = Bootstrap(projection_units, hidden_units)
        options = {"share_batch_statistics": False, "name": "byol", **options}
        super().__init__(backbone, {"instance": branch}, momentum=momentum, **options)
