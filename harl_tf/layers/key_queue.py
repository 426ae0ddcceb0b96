"""MoCo's queue of keys, the same on every replica."""

from typing import Any

import keras
import tensorflow as tf

from harl_tf import distribution
from harl_tf.losses.normalize import l2_normalize


@keras.saving.register_keras_serializable(package="harl_tf")
class KeyQueue(keras.layers.Layer):
    """The keys of the latest batches, first in, first out; saved with the model.

    He et al., Momentum Contrast (2020), sec. 3.2. The queue is initialized with random unit
    vectors.

    Args:
        size: Number of keys. Must be divisible by the number of keys of a global batch.
        dimensions: Length of a key.
        **kwargs: Arguments of ``keras.layers.Layer``.

    Raises:
        ValueError: If ``size`` or ``dimensions`` is not positive.

    Example:
        >>> queue = KeyQueue(size=4, dimensions=2)
        >>> queue.push(tf.constant([[3.0, 0.0], [0.0, 2.0]]))
        >>> queue.keys[:2].numpy().round(4).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, size: int, dimensions: int, **kwargs: Any) -> None:
        super().__init__(**{"trainable": False, **kwargs})
        if size < 1 or dimensions < 1:
            raise ValueError(
                "Expected size ≥ 1 and dimensions ≥ 1. "
                f"Received: size={size}, dimensions={dimensions}."
            )
        self.size, self.dimensions = size, dimensions
        # A fixed seed: the initial queue does not depend on what was created before it.
        self._keys = self.add_weight(
            shape=(size, dimensions),
            initializer=keras.initializers.RandomNormal(stddev=1.0, seed=0),
            trainable=False,
            dtype=self.variable_dtype,
            name="keys",
        )
        self.built = True

    @property
    def keys(self) -> tf.Tensor:
        """``(size, dimensions)``, normalized, the newest first."""
        return l2_normalize(tf.convert_to_tensor(self._keys))

    def push(self, keys: tf.Tensor) -> None:
        """Adds the keys of all replicas and drops as many of the oldest.

        Args:
            keys: ``(rows, dimensions)`` of this replica; need not be normalized.

        Raises:
            ValueError: If ``size`` is not a multiple of the number of keys of the global batch.
        """
        if keys.shape[0] is not None:
            rows = keys.shape[0] * distribution.replica_count()
            if self.size % rows:
                raise ValueError(
                    "Expected a queue_size that is a multiple of the keys of a global batch, such "
                    f"as {max(self.size // rows, 1) * rows}. Received: queue_size={self.size} and "
                    f"{rows} keys per batch."
                )
        newest = distribution.gather_rows(l2_normalize(tf.stop_gradient(keys)))
        kept = tf.convert_to_tensor(self._keys)[: self.size - tf.shape(newest)[0]]
        self._keys.assign(tf.concat([tf.cast(newest, kept.dtype), kept], axis=0))

    def get_config(self) -> dict[str, Any]:
        """Configuration from which the layer can be rebuilt."""
        return {**super().get_config(), "size": self.size, "dimensions": self.dimensions}
