"""What a method adds to a backbone: heads, and a loss on the feature maps of two views.

Owns the interface. A pretraining method is a backbone with one branch or several
(``harl_tf.pretraining.Pretraining``); those of the published methods lie in ``harl_tf.methods``.
What a branch returns stands in ``harl_tf.pretraining.branch_output``: losses image by image. A
branch forms no mean and knows of no replicas.
"""

import inspect
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from harl_tf.pretraining.branch_output import BranchOutput
from harl_tf.pretraining.forward import Forward
from harl_tf.pretraining.target import target_copy


class Branch(keras.layers.Layer):
    """Base class of the branches.

    A subclass keeps the arguments of its constructor as attributes of the same names, makes its
    heads in ``connect`` and computes its losses in ``loss_terms``. ``docs/your_own_method.md``
    writes one from nothing.

    Attributes:
        metric_names: What ``loss_terms`` reports besides the loss: names of its ``metrics`` and,
            after ``loss_``, of its terms. Default: none.
        uses_target: Whether it needs the target network. Default: False.
        batch_keys: What it needs in a batch besides views, masks and draws: ``"window1"`` and
            ``"window2"``, ``"seed"``. Default: nothing.
        regions: Number of regions in the masks that it tells apart, the background included.
            Default: 2.

    Example:
        >>> from harl_tf.pretraining import BranchOutput, LossTerm
        >>> from harl_tf.pretraining import channels, mlp_head, pooled, select_map
        >>> class Align(Branch):
        ...     def __init__(self, units: int = 16) -> None:
        ...         super().__init__(name="align")
        ...         self.units = units
        ...
        ...     def connect(self, maps):
        ...         self.projector = mlp_head(channels(maps), 32, self.units, "projector")
        ...
        ...     def loss_terms(self, forward):
        ...         features = [pooled(select_map(forward.online[view])) for view in (0, 1)]
        ...         first, second = forward.through(self.projector, *features)
        ...         return BranchOutput(LossTerm(harl_tf.losses.cosine_distance(first, second)))
        >>> model = harl_tf.pretraining.Pretraining(resnet(18), {"instance": Align()})
    """

    metric_names: tuple[str, ...] = ()
    uses_target: bool = False
    batch_keys: tuple[str, ...] = ()
    regions: int = 2

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self.targets: dict[str, keras.Model] = {}

    def connect(self, maps: Mapping[str, keras.KerasTensor]) -> None:
        """Makes the heads for a backbone.

        Batch normalisation in them, Keras's own included, takes its statistics from all replicas:
        the engine sees to that.

        Args:
            maps: The backbone's outputs.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define connect().")

    def loss_terms(self, forward: Forward) -> BranchOutput:
        """The branch's objective.

        Args:
            forward: The batch.

        Returns:
            The loss of every image, a value for each of ``metric_names``, and what
            ``after_step`` needs.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define loss_terms().")

    def after_step(self, carry: Mapping[str, tf.Tensor]) -> None:
        """What else changes with a training step, such as a queue. Default: nothing.

        The engine calls it once an update, after weights and targets have moved; a batch that is
        split into parts (``accumulation_steps``) is whole again here.

        Args:
            carry: The ``carry`` of ``loss_terms``, with the rows of this replica.
        """

    def add_target(self, head: str) -> None:
        """Makes a target copy of the head of that name, ``self.targets[head]``."""
        self.targets[head] = target_copy(getattr(self, head))

    def momentum_pairs(self) -> list[tuple[keras.Model, keras.Model]]:
        """The heads that have targets, with them."""
        return [(getattr(self, head), target) for head, target in self.targets.items()]

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments, by the names in its signature.

        Raises:
            AttributeError: If the branch does not keep one of them as an attribute.

        Example:
            >>> harl_tf.methods.InstanceContrast(temperature=0.1).settings()
            {'projection_units': 128, 'hidden_units': 2048, 'temperature': 0.1}
        """
        # The class's own signature: Keras wraps __init__, and keeps what it wraps.
        arguments = inspect.signature(type(self)).parameters
        lost = [argument for argument in arguments if not hasattr(self, argument)]
        if lost:
            raise AttributeError(
                f"Expected {type(self).__name__} to keep the arguments of its constructor as "
                "attributes of the same names, from which it is saved and rebuilt. "
                f"Missing: {', '.join(lost)}."
            )
        return {argument: getattr(self, argument) for argument in arguments}

    def get_config(self) -> dict[str, Any]:
        """Configuration from which the branch can be rebuilt."""
        serialize = keras.saving.serialize_keras_object
        return {argument: serialize(value) for argument, value in self.settings().items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Branch":
        """Rebuilds the branch from ``get_config()``, not yet connected to a backbone."""
        restore = keras.saving.deserialize_keras_object
        return cls(**{argument: restore(value) for argument, value in config.items()})
