"""LARS, the optimizer of SimCLR's, BYOL's and HARL's large-batch runs.

Owns the update of the weights. Learning rates and their schedules are ``harl_tf.schedules``;
accumulating and clipping gradients over the global batch belongs to the training step.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="harl_tf")
class LARS(keras.optimizers.Optimizer):
    """SGD with momentum and a layer-wise step size proportional to the norm of the weights.

    You et al., Large Batch Training of Convolutional Networks, 2017 (arXiv 1708.03888), as
    implemented in the TensorFlow code of SimCLR and HARL. With the learning rate ``lr``::

        g = gradient + weight_decay * w
        trust = trust_coefficient * |w| / |g|         (1 if w is 0)
        v = momentum * v + lr * trust * g
        w = w - v

    Variables of rank 0 and 1 (biases, scale and offset of batch normalization) have neither weight
    decay nor ``trust``: they get plain momentum updates. ``exclude_variables`` excludes further
    variables.

    Three things differ between published versions of LARS:

    - The learning rate is *inside* the buffer ``v``, as in the paper and in HARL's TensorFlow code:
      each gradient keeps the rate of its own step. ``rate_in_momentum=False`` puts it outside, as
      in PyTorch's SGD: ``v = momentum * v + trust * g``, ``w = w - lr * v``. The two are equivalent
      for a constant rate and differ during warm-up and decay.
    - ``|g|`` is the norm of the sum of gradient and decay; the paper and the PyTorch code use the
      sum of their norms.
    - HARL's PyTorch code can clip the local rate (``clip_trust``).

    Args:
        learning_rate: A float or a ``keras.optimizers.schedules.LearningRateSchedule``, such as
            ``harl_tf.schedules.warmup_cosine(...)``.
        momentum: Within [0, 1). Default: 0.9.
        nesterov: Whether to use Nesterov momentum,
            ``w = w - (momentum * v + lr * trust * g)``. Default: False.
        weight_decay: At least 0; part of the gradient (see above), not decoupled from it.
            Default: 1e-6.
        trust_coefficient: Positive, the paper's eta. Default: 1e-3.
        clip_trust: Whether the rate of variables with ``trust`` is ``min(trust, lr)`` instead of
            ``lr * trust``. Default: False.
        rate_in_momentum: Whether the learning rate is part of the buffer. Default: True.
        name: Name of the optimizer.
        **kwargs: Arguments of any Keras optimizer, such as ``clipnorm``. With several replicas,
            Keras clips each replica's gradient before summing them.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        Weights of norm 5 and a gradient of norm 2 make a trust ratio of 0.1 * 5 / 2 = 0.25:

        >>> kernel = keras.Variable([[3.0, 4.0]])
        >>> optimizer = LARS(learning_rate=1.0, weight_decay=0.0, trust_coefficient=0.1)
        >>> optimizer.apply([tf.constant([[0.0, 2.0]])], [kernel])
        >>> kernel.numpy().tolist()
        [[3.0, 3.5]]
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        momentum: float = 0.9,
        nesterov: bool = False,
        weight_decay: float = 1e-6,
        trust_coefficient: float = 1e-3,
        clip_trust: bool = False,
        rate_in_momentum: bool = True,
        name: str = "lars",
        **kwargs: Any,
    ) -> None:
        if not 0 <= momentum < 1:
            raise ValueError(f"Expected momentum within [0, 1). Received: momentum={momentum}.")
        if weight_decay is None or weight_decay < 0:
            raise ValueError(f"Expected weight_decay >= 0. Received: weight_decay={weight_decay}.")
        if trust_coefficient <= 0:
            raise ValueError(
                f"Expected trust_coefficient > 0. Received: trust_coefficient={trust_coefficient}."
            )
        super().__init__(learning_rate, weight_decay=weight_decay, name=name, **kwargs)
        self.momentum = momentum
        self.nesterov = nesterov
        self.trust_coefficient = trust_coefficient
        self.clip_trust = clip_trust
        self.rate_in_momentum = rate_in_momentum
        # Keys and positions, not the variables themselves: Keras would treat those as optimizer
        # state.
        self._excluded_paths: dict[str, str] = {}
        self._excluded_positions: tuple[int, ...] = ()

    def exclude_variables(self, variables: Iterable[keras.Variable]) -> None:
        """Excludes variables from weight decay and adaptation, besides those of rank 0 and 1.

        Pass the variables themselves, not name patterns, which might match nothing. A saved model
        keeps its exclusions by their position among the variables, as Keras does with an
        optimizer's state.

        Args:
            variables: Trainable variables of the model, such as ``classifier.trainable_variables``.
                Repeated calls add to the exclusions.

        Raises:
            ValueError: If the optimizer is already built. The first training step builds it.

        Example:
            >>> classifier = keras.layers.Dense(10)
            >>> classifier.build((None, 32))
            >>> optimizer = LARS(learning_rate=0.1)
            >>> optimizer.exclude_variables(classifier.trainable_variables)
        """
        if self.built:
            raise ValueError(
                "Expected exclude_variables() before the optimizer is built, that is before the "
                "first training step. Received: a built optimizer."
            )
        self._excluded_paths = {
            **self._excluded_paths,
            **{self._var_key(variable): variable.path for variable in variables},
        }

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Not supported: LARS decays and adapts the same variables. Use ``exclude_variables``.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            "LARS excludes variables from weight decay and from adaptation together. "
            "Expected exclude_variables(variables). Received: exclude_from_weight_decay()."
        )

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Makes the momentum buffers. Called by Keras.

        Raises:
            ValueError: If an excluded variable is not among ``variables``.
        """
        if self.built:
            return
        positions = {self._var_key(variable): index for index, variable in enumerate(variables)}
        unknown = [path for key, path in self._excluded_paths.items() if key not in positions]
        unknown += [
            f"number {index}" for index in self._excluded_positions if index >= len(variables)
        ]
        if unknown:
            raise ValueError(
                "Expected excluded variables to be among the trainable variables that the "
                f"optimizer is built with. Received: {', '.join(unknown)}."
            )
        super().build(variables)
        excluded = {positions[key] for key in self._excluded_paths} | set(self._excluded_positions)
        self._excluded_positions = tuple(sorted(excluded))
        self._adapted = tuple(
            len(variable.shape) > 1 and index not in excluded
            for index, variable in enumerate(variables)
        )
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Updates one variable with the gradient summed over replicas. Called by Keras."""
        index = self._get_variable_index(variable)
        # Squares of small gradients underflow in half precision.
        dtype = tf.as_dtype(variable.dtype)
        dtype = tf.float32 if dtype.size < 4 else dtype
        weights = tf.cast(variable, dtype)
        velocity = tf.cast(self._momentums[index].value, dtype)
        rate = tf.cast(learning_rate, dtype)
        # The gradient of an embedding layer is sparse slices; weight decay makes it dense anyway.
        gradient = tf.cast(tf.convert_to_tensor(gradient), dtype)
        if self._adapted[index]:
            gradient += self.weight_decay * weights
            gradient *= self._trust(weights, gradient, rate)

        inner, outer = (rate, 1.0) if self.rate_in_momentum else (1.0, rate)
        velocity = self.momentum * velocity + inner * gradient
        step = self.momentum * velocity + inner * gradient if self.nesterov else velocity
        self.assign(self._momentums[index], velocity)
        self.assign_sub(variable, outer * step)

    def _trust(self, weights: tf.Tensor, gradient: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        weight_norm, gradient_norm = tf.norm(weights), tf.norm(gradient)
        trust = self.trust_coefficient * tf.math.divide_no_nan(weight_norm, gradient_norm)
        if self.clip_trust:
            trust = tf.where(trust < rate, tf.math.divide_no_nan(trust, rate), 1.0)
        # If |g| is 0, there is nothing to scale.
        return tf.where(weight_norm > 0, trust, 1.0)

    def _apply_weight_decay(self, variables: Sequence[keras.Variable]) -> None:
        """Does nothing: Keras's decoupled decay would add to the decay inside the gradient."""

    def get_config(self) -> dict[str, Any]:
        """Configuration from which the optimizer can be rebuilt.

        Raises:
            ValueError: If variables are excluded but the optimizer is not built, so their positions
                are not known yet.
        """
        if self._excluded_paths and not self.built:
            raise ValueError(
                "Expected a built optimizer: excluded variables are saved by their position. Call "
                "optimizer.build(model.trainable_variables). Received: an optimizer that is not "
                "built and excludes variables."
            )
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "nesterov": self.nesterov,
            "trust_coefficient": self.trust_coefficient,
            "clip_trust": self.clip_trust,
            "rate_in_momentum": self.rate_in_momentum,
            "excluded_positions": list(self._excluded_positions),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "LARS":
        """Rebuilds the optimizer from ``get_config()``."""
        config = dict(config)
        positions = config.pop("excluded_positions", ())
        optimizer = super().from_config(config, custom_objects=custom_objects)
        optimizer._excluded_positions = tuple(positions)
        return optimizer
