"""The order in which examples are seen in a fine-tuning, and which of them are mirrored."""

from collections.abc import Iterator

import keras
import numpy as np

from harl_tf.pretraining.finite import first_not_finite


def endless(count: int, seed: int) -> Iterator[tuple[int, bool]]:
    """Endless examples, all of them before any is seen again.

    Args:
        count: Number of examples.
        seed: Of the order and the mirroring; nothing else decides them.

    Yields:
        The number of an example, and whether it is mirrored.

    Example:
        >>> import itertools
        >>> sorted(index for index, _ in itertools.islice(endless(3, seed=0), 3))
        [0, 1, 2]
    """
    random = np.random.default_rng(seed)
    while True:
        order, mirrored = random.permutation(count), random.random(count) < 0.5
        yield from zip(order.tolist(), mirrored.tolist(), strict=True)


def refuse_diverged(model: keras.Model) -> None:
    """Refuses to score a network whose weights are no numbers any more.

    Raises:
        FloatingPointError: Naming the first of them.

    Example:
        >>> refuse_diverged(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
    """
    path = first_not_finite(model)
    if path is not None:
        raise FloatingPointError(
            f"The fine-tuning diverged: NaN or infinity in {path}. Use a lower rate."
        )
