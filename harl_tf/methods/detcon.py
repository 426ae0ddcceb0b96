"""DetCon: contrast each region with all other regions of all images."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from harl_tf.losses import CellLabels, region_average, region_contrast
from harl_tf.losses.temperature import check_temperature
from harl_tf.pretraining.branch import Branch
from harl_tf.pretraining.branch_output import (
    EMBEDDING_METRICS,
    BranchOutput,
    LossTerm,
    embedding_metrics,
)
from harl_tf.pretraining.feature_maps import Level, as_cells, channels, on_cells, pooled, select_map
from harl_tf.pretraining.forward import Forward, View
from harl_tf.pretraining.heads import mlp_head
from harl_tf.pretraining.model import Pretraining
from harl_tf.pretraining.noise import example_noise, gumbel
from harl_tf.schedules import Schedule


@keras.saving.register_keras_serializable(package="harl_tf")
class RegionContrast(Branch):
    """Regions drawn from each view, pooled, projected and predicted; targets from the other view.

    Args:
        regions: Number of regions in the masks, the background included. Default: 2.
        drawn_regions: Regions that are drawn from each view, with replacement. Default: 16.
        projection_units: Length of the embeddings. Default: 256.
        hidden_units: Width of projector and predictor. Default: 4096.
        temperature: Positive. Default: 0.1.
        level: Feature map. Default: the last one.
    """

    metric_names: tuple[str, ...] = EMBEDDING_METRICS
    uses_target = True
    batch_keys = ("seed",)

    def __init__(
        self,
        regions: int = 2,
        drawn_regions: int = 16,
        projection_units: int = 256,
        hidden_units: int = 4096,
        temperature: float = 0.1,
        level: Level = None,
    ) -> None:
        super().__init__(name="region_contrast")
        check_temperature(temperature)
        if drawn_regions < 1:
            raise ValueError(
                f"Expected drawn_regions ≥ 1. Received: drawn_regions={drawn_regions}."
            )
        self.regions, self.drawn_regions, self.level = regions, drawn_regions, level
        self.projection_units, self.hidden_units = projection_units, hidden_units
        self.temperature = temperature

    def connect(self, maps: Mapping[str, keras.KerasTensor]) -> None:
        """Makes the projector, its target and the predictor."""
        hidden, units = self.hidden_units, self.projection_units
        self.projector = mlp_head(channels(maps, self.level), hidden, units, "projector")
        self.predictor = mlp_head(units, hidden, units, "predictor")
        self.add_target("projector")

    def loss_terms(self, forward: Forward) -> BranchOutput:
        """DetCon-B's loss."""
        assert forward.target is not None
        maps = [select_map(forward.online[view], self.level) for view in (0, 1)]
        others = [select_map(forward.target[view], self.level) for view in (0, 1)]
        grid = (maps[0].shape[1], maps[0].shape[2])
        labels = forward.labels(grid, regions=self.regions)
        ids = [self._draw(labels[view], forward.views[view]) for view in (0, 1)]

        def predict(vectors: tf.Tensor, training: bool) -> tf.Tensor:
            projected = on_cells(self.projector, vectors, training)
            return on_cells(self.predictor, projected, training)

        def project_target(vectors: tf.Tensor, training: bool) -> tf.Tensor:
            return on_cells(self.targets["projector"], vectors, training)

        online = [_regions_of(maps[view], labels[view], ids[view]) for view in (0, 1)]
        target = [_regions_of(others[view], labels[view], ids[view]) for view in (0, 1)]
        predictions = forward.through(predict, online[0], online[1])
        targets = forward.through(project_target, target[0], target[1])
        losses = region_contrast(
            predictions[0],
            predictions[1],
            targets[0],
            targets[1],
            ids[0],
            ids[1],
            self.temperature,
        )
        means = [pooled(each) for each in maps]
        return BranchOutput(LossTerm(losses), embedding_metrics(*means))

    def _draw(self, labels: CellLabels, view: View) -> tf.Tensor:
        """Draws regions present in a view (B, drawn), uniformly."""
        present = tf.reduce_any(labels.members > 0, axis=1)
        noise = gumbel(example_noise(view.seeds, self.drawn_regions * self.regions))
        noise = tf.reshape(noise, (-1, self.drawn_regions, self.regions))
        noise = tf.where(present[:, None], noise, tf.float32.min)
        return tf.argmax(noise, axis=-1, output_type=tf.int32)


@keras.saving.register_keras_serializable(package="harl_tf")
class DetCon(Pretraining):
    """Efficient Visual Pretraining with Contrastive Detection (Hénaff et al. 2021), DetCon-B.

    Args:
        backbone: A model made by ``harl_tf.backbones.resnet`` or ``feature_pyramid``.
        regions: Number of regions in the masks, the background included. Default: 2, binary masks.
        drawn_regions: Regions that are drawn from each view, with replacement. Default: 16.
        projection_units: Length of the embeddings. Default: 256.
        hidden_units: Width of projector and predictor. Default: 4096.
        temperature: Positive. Default: 0.1.
        level: Feature map. Default: the last one.
        momentum: Momentum of the target network. Default: 0.99. In the paper it rises from 0.996 to
            1.
        **options: Arguments of ``Pretraining``: ``augmentations``, ``name``.

    Example:
        >>> model = harl_tf.DetCon(resnet(18), hidden_units=512)
        >>> model.compile(keras.optimizers.SGD(0.1))
    """

    def __init__(
        self,
        backbone: keras.Model,
        regions: int = 2,
        drawn_regions: int = 16,
        projection_units: int = 256,
        hidden_units: int = 4096,
        temperature: float = 0.1,
        level: Level = None,
        momentum: Schedule = 0.99,
        **options: Any,
    ) -> None:
        branch = RegionContrast(
            regions, drawn_regions, projection_units, hidden_units, temperature, level
        )
        options = {"share_batch_statistics": False, "name": "detcon", **options}
        super().__init__(backbone, {"regions": branch}, momentum=momentum, **options)


def _regions_of(features: tf.Tensor, labels: CellLabels, ids: tf.Tensor) -> tf.Tensor:
    """Mean features (B, drawn, C) of the drawn regions."""
    vectors = region_average(as_cells(features), labels.members).vectors
    return tf.gather(vectors, ids, batch_dims=1)
