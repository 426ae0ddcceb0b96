"""SimSiam: predict the other view's embedding; only a stop-gradient prevents collapse."""

from collections.abc import Mapping
from typing import Any

import keras

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


@keras.saving.register_keras_serializable(package="harl_tf")
class Siamese(Branch):
    """A three-layer projector and a predictor with a bottleneck.

    Args:
        projection_units: Length of the embeddings and width of the projector. Default: 2048.
        bottleneck_units: Width of the predictor. Default: 512.
    """

    metric_names: tuple[str, ...] = EMBEDDING_METRICS
    least_images = 2

    def __init__(self, projection_units: int = 2048, bottleneck_units: int = 512) -> None:
        super().__init__(name="siamese")
        self.projection_units, self.bottleneck_units = projection_units, bottleneck_units

    def connect(self, maps: Mapping[str, keras.KerasTensor]) -> None:
        """Makes the projector and the predictor."""
        units, depth = self.projection_units, channels(maps)
        self.projector = mlp_head(depth, (units, units), units, "projector", output_norm=True)
        self.predictor = mlp_head(units, self.bottleneck_units, units, "predictor")

    def loss_terms(self, forward: Forward) -> BranchOutput:
        """The paper's loss plus one: half the mean of both directions' distances."""
        features = [pooled(select_map(forward.online[view])) for view in (0, 1)]
        embeddings = forward.through(self.projector, *features)
        predictions = forward.through(self.predictor, embeddings[0], embeddings[1])
        forth = cosine_distance(predictions[0], embeddings[1])
        back = cosine_distance(predictions[1], embeddings[0])
        metrics = embedding_metrics(embeddings[0], embeddings[1])
        return BranchOutput(LossTerm((forth + back) / 4.0), metrics)


@keras.saving.register_keras_serializable(package="harl_tf")
class SimSiam(Pretraining):
    """Exploring Simple Siamese Representation Learning (Chen and He 2021).

    The loss is the paper's eq. 4 plus 1, so that its best value is 0; the gradients are the same.

    Args:
        backbone: A model made by ``harl_tf.backbones.resnet`` or ``feature_pyramid``.
        projection_units: Length of the embeddings. Default: 2048.
        bottleneck_units: Width of the predictor. Default: 512.
        **options: Arguments of ``Pretraining``: ``augmentations``, ``name``.

    Example:
        >>> model = harl_tf.SimSiam(resnet(18), projection_units=256, bottleneck_units=64)
        >>> model.compile(keras.optimizers.SGD(0.05))
    """

    def __init__(
        self,
        backbone: keras.Model,
        projection_units: int = 2048,
        bottleneck_units: int = 512,
        **options: Any,
    ) -> None:
        branch = Siamese(projection_units, bottleneck_units)
        options = {"share_batch_statistics": False, "name": "simsiam", **options}
        super().__init__(backbone, {"instance": branch}, **options)
