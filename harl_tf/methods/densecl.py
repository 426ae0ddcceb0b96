"""DenseCL: MoCo on whole images, and on cells matched with the most similar of the other view."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from harl_tf.layers import KeyQueue
from harl_tf.losses import dense_contrast, match_cells
from harl_tf.losses.temperature import check_temperature
from harl_tf.methods.moco_v2 import MomentumContrast
from harl_tf.pretraining.branch import Branch
from harl_tf.pretraining.branch_output import (
    BranchOutput,
    LossTerm,
)
from harl_tf.pretraining.feature_maps import Level, as_cells, channels, on_cells, select_map
from harl_tf.pretraining.forward import Forward
from harl_tf.pretraining.heads import mlp_head
from harl_tf.pretraining.model import Pretraining
from harl_tf.schedules import Schedule


@keras.saving.register_keras_serializable(package="harl_tf")
class DenseContrast(Branch):
    """The dense half of DenseCL: a dense head with a target, and a queue of mean dense keys.

    Args:
        projection_units: Channels of the cells' embeddings. Default: 128.
        hidden_units: Width of the dense head, which has no batch normalization. Default: 2048.
        temperature: Positive. Default: 0.2.
        queue_size: Number of keys to keep; must be a multiple of the global batch size. Default:
            65536.
        level: Feature map. Default: the last one.
    """

    uses_target = True

    def __init__(
        self,
        projection_units: int = 128,
        hidden_units: int = 2048,
        temperature: float = 0.2,
        queue_size: int = 65536,
        level: Level = None,
    ) -> None:
        super().__init__(name="dense_contrast")
        check_temperature(temperature)
        self.projection_units, self.hidden_units = projection_units, hidden_units
        self.temperature, self.queue_size, self.level = temperature, queue_size, level

    def connect(self, maps: Mapping[str, keras.KerasTensor]) -> None:
        """Makes the dense head, its target and the queue."""
        sizes = channels(maps, self.level), self.hidden_units, self.projection_units
        self.projector = mlp_head(*sizes, "dense_projector", batch_norm=False)
        self.add_target("projector")
        self.queue = KeyQueue(self.queue_size, self.projection_units, name="dense_queue")

    def loss_terms(self, forward: Forward) -> BranchOutput:
        """InfoNCE of the first view's cells."""
        assert forward.target is not None
        features = as_cells(select_map(forward.online[0], self.level))
        others = as_cells(select_map(forward.target[1], self.level))
        queries = on_cells(self.projector, features, forward.training)
        keys = on_cells(self.targets["projector"], others, forward.training)
        matches = match_cells(features, others)
        losses = dense_contrast(queries, keys, matches, self.queue.keys, self.temperature)
        return BranchOutput(LossTerm(losses), carry={"keys": tf.reduce_mean(keys, axis=1)})

    def after_step(self, carry: Mapping[str, tf.Tensor]) -> None:
        """Pushes the second view's mean dense keys to the queue."""
        self.queue.push(carry["keys"])


@keras.saving.register_keras_serializable(package="harl_tf")
class DenseCL(Pretraining):
    """Dense Contrastive Learning for Self-Supervised Visual Pre-Training (Wang et al. 2021).

    The loss is ``(1 - dense_weight) * instance + dense_weight * dense``, the paper's eq. 4.

    Args:
        backbone: A model made by ``harl_tf.backbones.resnet`` or ``feature_pyramid``.
        dense_weight: The paper's λ, within [0, 1]. Default: 0.5.
        projection_units: Length of the embeddings. Default: 128.
        hidden_units: Width of both heads. Default: 2048.
        temperature: Positive. Default: 0.2.
        queue_size: Number of keys in each queue; must be a multiple of the global batch size.
            Default: 65536.
        level: Feature map of the dense half. Default: the last one.
        momentum: Momentum of the target network. Default: 0.999.
        **options: Arguments of ``Pretraining``: ``augmentations``, ``name``.

    Raises:
        ValueError: If ``dense_weight`` is out of range.

    Example:
        >>> model = harl_tf.DenseCL(resnet(18), hidden_units=512, queue_size=1024)
        >>> model.compile(keras.optimizers.SGD(0.03))
    """

    def __init__(
        self,
        backbone: keras.Model,
        dense_weight: float = 0.5,
        projection_units: int = 128,
        hidden_units: int = 2048,
        temperature: float = 0.2,
        queue_size: int = 65536,
        level: Level = None,
        momentum: Schedule = 0.999,
        **options: Any,
    ) -> None:
        if not 0 <= dense_weight <= 1:
            raise ValueError(
                f"Expected dense_weight within [0, 1]. Received: dense_weight={dense_weight}."
            )
        shared = (projection_units, hidden_units, temperature, queue_size)
        branches = {"instance": MomentumContrast(*shared), "dense": DenseContrast(*shared, level)}
        weights = {"instance": 1.0 - dense_weight, "dense": dense_weight}
        options = {"share_batch_statistics": False, "name": "densecl", **options}
        super().__init__(backbone, branches, weights, momentum=momentum, **options)
        self.dense_weight = dense_weight

    def method_settings(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"dense_weight": self.dense_weight, **self.branches["dense"].settings()}
