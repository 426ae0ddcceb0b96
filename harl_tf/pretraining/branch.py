"""What a method adds to a backbone: heads, and a loss on the feature maps of two views.

Owns the interface. A pretraining method is a backbone with one branch or several
(``harl_tf.pretraining.Pretraining``); the branches are in the modules of the methods they belong
to.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from harl_tf import metrics
from harl_tf.pretraining.forward import Forward
from harl_tf.pretraining.target import target_copy

EMBEDDING_METRICS = ("embedding_std", "alignment", "uniformity", "contrastive_accuracy")


class BranchLoss(NamedTuple):
    """What a branch says of a batch.

    Attributes:
        loss: Scalar, this replica's share of a mean over the global batch.
        figures: Further scalars to report, by name; shares as well.
    """

    loss: tf.Tensor
    figures: dict[str, tf.Tensor]


class Branch(keras.layers.Layer):
    """Base class of the branches.

    A subclass keeps its arguments as attributes of the same names and lists them in ``arguments``,
    makes its heads in ``connect`` and computes its loss in ``loss_terms``.

    Attributes:
        arguments: Names of the constructor's arguments.
        figures: Names of what ``loss_terms`` reports besides the loss.
        uses_target: Whether it needs the target network.
        batch_keys: What it needs in a batch besides views, masks and draws.
    """

    arguments: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    uses_target: bool = False
    batch_keys: tuple[str, ...] = ()

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self.targets: dict[str, keras.Model] = {}

    def connect(self, maps: Mapping[str, keras.KerasTensor]) -> None:
        """Makes the heads for a backbone.

        Args:
            maps: The backbone's outputs.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define connect().")

    def loss_terms(self, forward: Forward) -> BranchLoss:
        """The branch's objective.

        Args:
            forward: The batch.

        Returns:
            The loss, and a value for each of ``figures``.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define loss_terms().")

    def after_step(self) -> None:
        """What else changes with a training step, such as a queue. Default: nothing."""

    def add_target(self, head: str) -> None:
        """Makes a target copy of the head of that name, ``self.targets[head]``."""
        self.targets[head] = target_copy(getattr(self, head))

    def momentum_pairs(self) -> list[tuple[keras.Model, keras.Model]]:
        """The heads that have targets, with them."""
        return [(getattr(self, head), target) for head, target in self.targets.items()]

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {argument: getattr(self, argument) for argument in self.arguments}

    def get_config(self) -> dict[str, Any]:
        """Configuration from which the branch can be rebuilt."""
        serialize = keras.saving.serialize_keras_object
        return {argument: serialize(value) for argument, value in self.settings().items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Branch":
        """Rebuilds the branch from ``get_config()``, not yet connected to a backbone."""
        restore = keras.saving.deserialize_keras_object
        return cls(**{argument: restore(value) for argument, value in config.items()})


def embedding_figures(embeddings1: tf.Tensor, embeddings2: tf.Tensor) -> dict[str, tf.Tensor]:
    """The ``EMBEDDING_METRICS`` of the embeddings of two views.

    Example:
        >>> sorted(embedding_figures(tf.eye(4), tf.eye(4)))
        ['alignment', 'contrastive_accuracy', 'embedding_std', 'uniformity']
    """
    return {
        "embedding_std": metrics.embedding_std(embeddings1),
        "alignment": metrics.alignment(embeddings1, embeddings2),
        "uniformity": metrics.uniformity(embeddings1, embeddings2),
        "contrastive_accuracy": metrics.contrastive_accuracy(embeddings1, embeddings2),
    }
