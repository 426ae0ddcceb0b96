"""What a method adds to a backbone: heads, and a loss on the feature maps of two views.

Owns the interface. A pretraining method is a backbone with one or more branches
(``harl_tf.pretraining.Pretraining``); the branches of the published methods are in
``harl_tf.methods``. A branch returns per-image losses, see ``harl_tf.pretraining.branch_output``.
It computes no means over the batch and does not deal with replicas.
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

    A subclass stores the arguments of its constructor as attributes of the same names, makes its
    heads in ``connect`` and computes its losses in ``loss_terms``. ``docs/your_own_method.md``
    builds one from scratch.

    Attributes:
        metric_names: What ``loss_terms`` reports besides the loss: the names of its ``metrics``
            and, prefixed with ``loss_``, of its named terms. Default: none.
        uses_target: Whether the branch needs the target network. Default: False.
        batch_keys: Keys the branch needs in a batch besides views, masks and draws: ``"window1"``
            and ``"window2"``, ``"seed"``. Default: none.
        regions: Number of mask regions the branch distinguishes, the background included. Default:
            2.
        least_images: Smallest number of images, over all replicas, for which the loss means
            something: 2 if it compares images or its heads normalize over them. Default: 1.

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
    least_images: int = 1

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self.targets: dict[str, keras.Model] = {}
        self.built = True  # connect makes built heads, and a branch is never called

    def connect(self, maps: Mapping[str, keras.KerasTensor]) -> None:
        """Makes the heads for a backbone.

        The engine synchronizes any batch normalization in them, including plain Keras layers,
        across replicas.

        Args:
            maps: The backbone's outputs.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define connect().")

    def loss_terms(self, forward: Forward) -> BranchOutput:
        """The branch's objective.

        Args:
            forward: The batch.

        Returns:
            The per-image losses, a value for each of ``metric_names``, and what ``after_step``
            needs.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define loss_terms().")

    def after_step(self, carry: Mapping[str, tf.Tensor]) -> None:
        """Updates other state after a training step, such as a queue. Default: does nothing.

        The engine calls this once per update, after weights and targets have been updated. If the
        batch was split (``accumulation_steps``), ``carry`` holds the rows of the whole batch.

        Args:
            carry: The ``carry`` returned by ``loss_terms``, with the rows of this replica.
        """

    def add_target(self, head: str) -> None:
        """Makes a target copy of the named head, available as ``self.targets[head]``."""
        self.targets[head] = target_copy(getattr(self, head))

    def momentum_pairs(self) -> list[tuple[keras.Model, keras.Model]]:
        """Pairs of heads and their targets."""
        return [(getattr(self, head), target) for head, target in self.targets.items()]

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments, by name.

        Raises:
            AttributeError: If the branch does not store one of them as an attribute.

        Example:
            >>> harl_tf.methods.InstanceContrast(temperature=0.1).settings()
            {'projection_units': 128, 'hidden_units': 2048, 'temperature': 0.1}
        """
        # The class's own signature: Keras wraps __init__ but preserves its signature.
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
