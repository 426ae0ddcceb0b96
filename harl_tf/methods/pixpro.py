"""PixPro: make each propagated cell agree with nearby cells of the other view."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from harl_tf.losses import cell_distance, pixel_consistency, pixel_propagation
from harl_tf.pretraining.branch import Branch
from harl_tf.pretraining.branch_output import (
    EMBEDDING_METRICS,
    BranchOutput,
    LossTerm,
    embedding_metrics,
)
from harl_tf.pretraining.feature_maps import Level, as_cells, channels, on_cells, select_map
from harl_tf.pretraining.forward import Forward
from harl_tf.pretraining.heads import mlp_head
from harl_tf.pretraining.model import Pretraining
from harl_tf.schedules import Schedule


@keras.saving.register_keras_serializable(package="harl_tf")
class PixelPropagation(Branch):
    """A pixel head with a target, and the pixel propagation module on the online network.

    Args:
        projection_units: Channels of the cells' embeddings. Default: 256.
        hidden_units: Width of the pixel head. Default: 4096.
        distance: Largest distance between positives, in cell diagonals. Default: 0.7.
        sharpness: The paper's γ. Default: 2.
        level: Feature map. Default: the last one.
    """

    metric_names: tuple[str, ...] = EMBEDDING_METRICS
    uses_target = True
    batch_keys = ("window1", "window2")

    def __init__(
        self,
        projection_units: int = 256,
        hidden_units: int = 4096,
        distance: float = 0.7,
        sharpness: float = 2.0,
        level: Level = None,
    ) -> None:
        super().__init__(name="pixel_propagation")
        for argument, value in (("distance", distance), ("sharpness", sharpness)):
            if value <= 0:
                raise ValueError(f"Expected {argument} > 0. Received: {argument}={value}.")
        self.projection_units, self.hidden_units = projection_units, hidden_units
        self.distance, self.sharpness, self.level = distance, sharpness, level

    def connect(self, maps: Mapping[str, keras.KerasTensor]) -> None:
        """Makes the pixel head, its target and the transform of the propagation module."""
        depth, units = channels(maps, self.level), self.projection_units
        self.projector = mlp_head(depth, self.hidden_units, units, "projector")
        self.transform = keras.Sequential([keras.Input((units,)), keras.layers.Dense(units)])
        self.add_target("projector")

    def loss_terms(self, forward: Forward) -> BranchOutput:
        """Consistency of propagated cells with nearby target cells, in both directions."""
        assert forward.target is not None
        maps = [select_map(forward.online[view], self.level) for view in (0, 1)]
        others = [select_map(forward.target[view], self.level) for view in (0, 1)]
        grid = (maps[0].shape[1], maps[0].shape[2])

        def project(cells: tf.Tensor, training: bool) -> tf.Tensor:
            return on_cells(self.projector, cells, training)

        def project_target(cells: tf.Tensor, training: bool) -> tf.Tensor:
            return on_cells(self.targets["projector"], cells, training)

        embedded = forward.through(project, *(as_cells(each) for each in maps))
        targets = forward.through(project_target, *(as_cells(each) for each in others))
        windows = [view.windows for view in forward.views]
        near = cell_distance(windows[0], windows[1], grid, grid) < self.distance
        directions = []
        for own, other, pairs in ((0, 1, near), (1, 0, tf.transpose(near, (0, 2, 1)))):
            transformed = on_cells(self.transform, embedded[own], forward.training)
            smoothed = pixel_propagation(embedded[own], transformed, self.sharpness)
            directions.append(LossTerm(*pixel_consistency(smoothed, targets[other], pairs)))
        means = [tf.reduce_mean(embedded[view], axis=1) for view in (0, 1)]
        return BranchOutput(directions, embedding_metrics(*means))


@keras.saving.register_keras_serializable(package="harl_tf")
class PixPro(Pretraining):
    """Propagate Yourself (Xie et al. 2021), the pixel-to-propagation consistency.

    The loss is the released one plus 4, so that its best value is 0. Images whose two crops have
    no cells near each other are left out.

    Args:
        backbone: A model made by ``harl_tf.backbones.resnet`` or ``feature_pyramid``.
        projection_units: Channels of the cells' embeddings. Default: 256.
        hidden_units: Width of the pixel head. Default: 4096.
        distance: Largest distance between positives, in cell diagonals. Default: 0.7.
        sharpness: The paper's γ. Default: 2.
        level: Feature map. Default: the last one.
        momentum: Momentum of the target network. Default: 0.99. In the paper it rises to 1.
        **options: Arguments of ``Pretraining``: ``augmentations``, ``name``.

    Example:
        >>> model = harl_tf.PixPro(resnet(18, output_stride=16), hidden_units=512)
        >>> model.compile(keras.optimizers.SGD(0.1))
    """

    def __init__(
        self,
        backbone: keras.Model,
        projection_units: int = 256,
        hidden_units: int = 4096,
        distance: float = 0.7,
        sharpness: float = 2.0,
        level: Level = None,
        momentum: Schedule = 0.99,
        **options: Any,
    ) -> None:
        branch = PixelPropagation(projection_units, hidden_units, distance, sharpness, level)
        options = {"share_batch_statistics": False, "name": "pixpro", **options}
        super().__init__(backbone, {"pixel": branch}, momentum=momentum, **options)
