"""The order in which examples are seen in a fine-tuning, and which of them are mirrored."""

from collections.abc import Iterator

import numpy as np


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
