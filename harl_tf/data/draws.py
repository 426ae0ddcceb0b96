"""The uniform random numbers behind an example's augmentation.

Owns the guarantee that every draw is a function of (seed, pass, example): NumPy's Philox generator,
keyed with these three, gives an example the same numbers wherever its record is stored and
whichever thread asks.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Draws(NamedTuple):
    """The draws of several examples.

    Attributes:
        uniform: ``(examples, 2, count)`` float32 in [0, 1), one row per view.
        seeds: ``(examples, 2)`` int32, any value, seeds for the methods' own random numbers.
    """

    uniform: NDArray[np.float32]
    seeds: NDArray[np.int32]


def draw(seed: int, index: int, identities: NDArray[np.int64], count: int) -> Draws:
    """Draws the random numbers of some examples.

    Args:
        seed: The stream's seed, any int; only the lower 32 bits are used.
        index: Index of the pass through the examples, counted from 0.
        identities: ``(examples,)``, an id that identifies each example.
        count: How many numbers each of its two views needs.

    Returns:
        The draws; those of an example depend only on its own identity.

    Example:
        >>> draws = draw(seed=0, index=0, identities=np.array([7, 8, 7]), count=4)
        >>> bool((draws.uniform[0] == draws.uniform[2]).all()), draws.uniform.shape
        (True, (3, 2, 4))
    """
    of_pass = (seed % 2**32) << 32 | index % 2**32
    # Raw words: NumPy guarantees that their sequence never changes.
    words = np.stack(
        [
            np.random.Philox(key=np.array([identity, of_pass], np.uint64)).random_raw(2 * count + 1)
            for identity in identities.astype(np.uint64)
        ]
    )
    uniform = (words[:, 1:] >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)
    seeds = np.ascontiguousarray(words[:, :1]).view(np.int32)
    return Draws(uniform.reshape(-1, 2, count), seeds)
