"""The uniform numbers that an example's augmentation is made from.

Owns the promise that every draw is a function of (seed, pass, example): NumPy's Philox, keyed with
these three, gives an example its numbers wherever its record lies and whichever thread asks.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Draws(NamedTuple):
    """What several examples draw.

    Attributes:
        uniform: ``(examples, 2, count)`` float32 in [0, 1), a row for each view.
        seeds: ``(examples, 2)`` int32, any value, for what methods draw by themselves.
    """

    uniform: NDArray[np.float32]
    seeds: NDArray[np.int32]


def draw(seed: int, index: int, identities: NDArray[np.int64], count: int) -> Draws:
    """Draws for examples.

    Args:
        seed: The stream's seed, any int; of large ones the lower 32 bits count.
        index: Which pass through the examples this is, counted from 0.
        identities: ``(examples,)``, what tells an example from others.
        count: Numbers that each of its two views needs.

    Returns:
        The draws; those of an example depend on its own identity only.

    Example:
        >>> draws = draw(seed=0, index=0, identities=np.array([7, 8, 7]), count=4)
        >>> bool((draws.uniform[0] == draws.uniform[2]).all()), draws.uniform.shape
        (True, (3, 2, 4))
    """
    of_pass = (seed % 2**32) << 32 | index % 2**32
    # Raw words, whose sequence NumPy promises never to change.
    words = np.stack(
        [
            np.random.Philox(key=np.array([identity, of_pass], np.uint64)).random_raw(2 * count + 1)
            for identity in identities.astype(np.uint64)
        ]
    )
    uniform = (words[:, 1:] >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)
    seeds = np.ascontiguousarray(words[:, :1]).view(np.int32)
    return Draws(uniform.reshape(-1, 2, count), seeds)
