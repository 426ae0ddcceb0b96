"""MoCo v2: contrast each image's query with its key and with a queue of other images' keys."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from harl_tf.layers import KeyQueue
from harl_tf.losses import momentum_contrast
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
from harl_tf.schedules import Schedule


@keras.saving.register_keras_serializable(package="harl_tf")
class MomentumContrast(Branch):
    """Queries from the online network against target-network keys and a queue of earlier keys.

    Args:
        projection_units: Length of the embeddings. Default: 128.
        hidden_units: Width of the projector, which has no batch normalization. Default: 2048.
        temperature: Positive. Default: 0.2.
        queue_size: Number of keys to keep; must be a multiple of the global batch size.
            Default: 65536.
        symmetric: Whether each view serves as query and as key. If False, as published, the first
            view is the query and the second the key, at about half the cost. Default: False.
    """

    metric_names: tuple[str, ...] = EMBEDDING_METRICS
    uses_target = True

    def __init__(
        self,
        projection_units: int = 128,
        hidden_units: int = 2048,
        temperature: float = 0.2,
        queue_size: int = 65536,
        symmetric: bool = False,
    ) -> None:
        super().__init__(name="momentum_contrast")
        check_temperature(temperature)
        self.projection_units, self.hidden_units = projection_units, hidden_units
        self.temperature, self.queue_size, self.symmetric = temperature, queue_size, symmetric

    def connect(self, maps: Mapping[str, keras.KerasTensor]) -> None:
        """Makes the projector, its target and the queue."""
        sizes = channels(maps), self.hidden_units, self.projection_units
        self.projector = mlp_head(*sizes, "projector", batch_norm=False)
        self.add_target("projector")
        self.queue = KeyQueue(self.queue_size, self.projection_units, name="queue")

    def loss_terms(self, forward: Forward) -> BranchOutput:
        """InfoNCE between queries and keys."""
        target = forward.target
        assert target is not None

        def query(view: int) -> Any:
            features = pooled(select_map(forward.online[view]))
            return self.projector(features, training=forward.training)

        def key(view: int) -> Any:
            features = pooled(select_map(target[view]))
            return self.targets["projector"](features, training=forward.training)

        queries, keys, queue = query(0), key(1), self.queue.keys
        losses = momentum_contrast(queries, keys, queue, self.temperature)
        if self.symmetric:
            other = momentum_contrast(query(1), key(0), queue, self.temperature)
            losses = (losses + other) / 2.0
        return BranchOutput(LossTerm(losses), embedding_metrics(queries, keys), {"keys": keys})

    def after_step(self, carry: Mapping[str, tf.Tensor]) -> None:
        """Pushes the keys of the second view to the queue."""
        self.queue.push(carry["keys"])


@keras.saving.register_keras_serializable(package="harl_tf")
class MoCoV2(Pretraining):
    """Improved Baselines with Momentum Contrastive Learning (Chen et al. 2020, arXiv 2003.04297).

    Synchronized batch normalization replaces the paper's shuffling of keys between GPUs: the
    statistics are those of the global batch, from which a single image can hardly be told if the
    batch is large. Unlike after shuffling, a query and its key have those of the same images.

    Args:
        backbone: A model made by ``harl_tf.backbones.resnet`` or ``feature_pyramid``.
        projection_units: Length of the embeddings. Default: 128.
        hidden_units: Width of the projector. Default: 2048.
        temperature: Positive. Default: 0.2.
        queue_size: Number of keys to keep; must be a multiple of the global batch size. Default:
            65536.
        symmetric: Whether each view serves as query and as key. Default: False.
        momentum: Momentum of the target network. Default: 0.999.
        **options: Arguments of ``Pretraining``: ``augmentations``, ``name``.

    Example:
        >>> model = harl_tf.MoCoV2(resnet(18), hidden_units=512, queue_size=1024)
        >>> model.compile(keras.optimizers.SGD(0.03))
    """

    def __init__(
        self,
        backbone: keras.Model,
        projection_units: int = 128,
        hidden_units: int = 2048,
        temperature: float = 0.2,
        queue_size: int = 65536,
        symmetric: bool = False,
        momentum: Schedule = 0.999,
        **options: Any,
    ) -> None:
        branch = MomentumContrast(
            projection_units, hidden_units, temperature, queue_size, symmetric
        )
        options = {"share_batch_statistics": False, "name": "moco_v2", **options}
        super().__init__(backbone, {"instance": branch}, momentum=momentum, **options)
