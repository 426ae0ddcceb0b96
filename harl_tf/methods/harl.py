"""HARL: BYOL on the whole image, its foreground and its background."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from harl_tf.losses import RegionAverage, cell_labels, region_average
from harl_tf.methods.byol import Bootstrap
from harl_tf.pretraining.branch_output import (
    EMBEDDING_METRICS,
    BranchOutput,
    LossTerm,
    embedding_metrics,
)
from harl_tf.pretraining.feature_maps import (
    Level,
    as_cells,
    channels,
    level_names,
    pooled,
    select_map,
)
from harl_tf.pretraining.forward import Forward
from harl_tf.pretraining.model import Pretraining
from harl_tf.schedules import Schedule, value_at


@keras.saving.register_keras_serializable(package="harl_tf")
class RegionBootstrap(Bootstrap):
    """Heuristic Attention Representation Learning as a branch; see ``HARL``.

    Args:
        foreground_weight: Weight of the foreground in the mask loss, a number within [0, 1] or a
            schedule; the paper's α. At 1, the background term is not computed. Default: 0.5.
        whole_weight: Weight of the whole image in the loss, a number within [0, 1] or a schedule;
            the paper's β. At 0, the whole-image term is not computed. Default: 0.5.
        projection_units: Length of the embeddings. Default: 256.
        hidden_units: Width of projector and predictor. Default: 4096.
        level: Feature map the mask is applied to. A map other than the last gets its own projector
            and predictor. Default: the last one.
    """

    def __init__(
        self,
        foreground_weight: Schedule = 0.5,
        whole_weight: Schedule = 0.5,
        projection_units: int = 256,
        hidden_units: int = 4096,
        level: Level = None,
    ) -> None:
        super().__init__(projection_units, hidden_units)
        weights = {"foreground_weight": foreground_weight, "whole_weight": whole_weight}
        for argument, weight in weights.items():
            if isinstance(weight, int | float) and not 0 <= weight <= 1:
                raise ValueError(
                    f"Expected {argument} within [0, 1]. Received: {argument}={weight}."
                )
        self.foreground_weight, self.whole_weight = foreground_weight, whole_weight
        self.level = level
        used = {
            "loss_whole": whole_weight != 0,
            "loss_foreground": whole_weight != 1 and foreground_weight != 0,
            "loss_background": whole_weight != 1 and foreground_weight != 1,
        }
        self.metric_names = (*EMBEDDING_METRICS, *(name for name in used if used[name]))

    def connect(self, maps: Mapping[str, keras.KerasTensor]) -> None:
        """Makes the heads; all regions of a map share them."""
        super().connect(maps)
        own = level_names(maps, self.level) != level_names(maps, None)
        self.region_heads: Bootstrap | None = None
        if own:
            self.region_heads = Bootstrap(self.projection_units, self.hidden_units)
            self.region_heads.make_heads(channels(maps, self.level))

    def momentum_pairs(self) -> list[tuple[keras.Model, keras.Model]]:
        """The projectors and their targets."""
        own = [] if self.region_heads is None else self.region_heads.momentum_pairs()
        return super().momentum_pairs() + own

    def loss_terms(self, forward: Forward) -> BranchOutput:
        """``β whole + (1 - β) (α foreground + (1 - α) background)``."""
        assert forward.target is not None
        terms: list[LossTerm] = []
        weights = self._weights(forward.step)
        embeddings: Any = None
        if "loss_whole" in self.metric_names:
            online = [pooled(select_map(forward.online[view])) for view in (0, 1)]
            target = [pooled(select_map(forward.target[view])) for view in (0, 1)]
            embeddings, distances = self.distances(forward, online, target)
            terms.append(LossTerm(distances, weight=weights["whole"], name="whole"))
        regions = [self._regions(forward, view) for view in (0, 1)]
        for name, index in (("foreground", 1), ("background", 0)):
            if f"loss_{name}" not in self.metric_names:
                continue
            heads = self.region_heads or self
            online = [regions[view][0].vectors[:, index] for view in (0, 1)]
            target = [regions[view][1].vectors[:, index] for view in (0, 1)]
            present = [regions[view][0].present[:, index] for view in (0, 1)]
            of_region, distances = heads.distances(forward, online, target)
            embeddings = of_region if embeddings is None else embeddings
            terms.append(LossTerm(distances, present[0] & present[1], weights[name], name))
        return BranchOutput(terms, embedding_metrics(embeddings[0], embeddings[1]))

    def _weights(self, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """The weight of each term's mean."""
        alpha, beta = value_at(self.foreground_weight, step), value_at(self.whole_weight, step)
        foreground, background = (1.0 - beta) * alpha, (1.0 - beta) * (1.0 - alpha)
        return {"whole": beta, "foreground": foreground, "background": background}

    def _regions(self, forward: Forward, view: int) -> tuple[RegionAverage, RegionAverage]:
        """Mean background and foreground features, online and target."""
        assert forward.target is not None
        networks = forward.online, forward.target
        maps = [select_map(network[view], self.level) for network in networks]
        # Masks of several regions: whatever is not background is foreground.
        foreground = tf.cast(forward.views[view].masks > 0, tf.uint8)
        labels = cell_labels(foreground, (maps[0].shape[1], maps[0].shape[2]))
        weights = tf.stack([1.0 - labels.share, labels.share], axis=-1)
        online, target = (region_average(as_cells(each), weights) for each in maps)
        return online, target


@keras.saving.register_keras_serializable(package="harl_tf")
class HARL(Pretraining):
    """Heuristic Attention Representation Learning (Tran et al., Sensors 2022, 22(14):5169).

    Masked average pooling turns each view into one foreground and one background vector. A shared
    projector and predictor learn to predict the target network's vector for the same region in the
    other view. Images with a view that lacks a region are left out of that region's term.

    Two weights select the losses of the paper and its releases:

    - hybrid, the default: whole image, foreground and background;
    - mask loss: ``whole_weight=0``;
    - foreground hybrid, of the released 1000-epoch models: ``foreground_weight=1``;
    - cosine schedules: ``whole_weight=harl_tf.schedules.Cosine(0.9, 0.0, steps, floor=0.3)``;
      steps: ``keras.optimizers.schedules.PiecewiseConstantDecay``.

    The backbone's ``output_stride`` sets the grid: 7×7, 14×14 or 28×28 cells.

    Args:
        backbone: A model made by ``harl_tf.backbones.resnet`` or ``feature_pyramid``.
        foreground_weight: Weight of the foreground in the mask loss, within [0, 1] or a schedule;
            the paper's α. Default: 0.5.
        whole_weight: Weight of the whole image in the loss, within [0, 1] or a schedule; the
            paper's β. Default: 0.5.
        projection_units: Length of the embeddings. Default: 256.
        hidden_units: Width of projector and predictor. Default: 4096.
        level: Feature map the mask is applied to, such as ``"P4"``. Default: the last one.
        momentum: Momentum of the target network. Default: 0.99. In the paper it rises to 1:
            ``harl_tf.schedules.Cosine(0.996, 1.0, steps)``.
        **options: Arguments of ``Pretraining``: ``augmentations``, ``regions``, ``name``.

    Example:
        >>> model = harl_tf.HARL(resnet(18), hidden_units=512)
        >>> model.compile(keras.optimizers.SGD(0.1))
    """

    def __init__(
        self,
        backbone: keras.Model,
        foreground_weight: Schedule = 0.5,
        whole_weight: Schedule = 0.5,
        projection_units: int = 256,
        hidden_units: int = 4096,
        level: Level = None,
        momentum: Schedule = 0.99,
        **options: Any,
    ) -> None:
        branch = RegionBootstrap(
            foreground_weight, whole_weight, projection_units, hidden_units, level
        )
        options = {"share_batch_statistics": False, "name": "harl", **options}
        super().__init__(backbone, {"regions": branch}, momentum=momentum, **options)
