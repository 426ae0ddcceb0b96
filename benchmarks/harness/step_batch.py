"""A batch for timing steps: random pictures with discs as masks.

The content of the pictures does not affect the cost of a step; the batch has color-augmented views,
as in ``fit`` on a host without GPUs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def make_batch(rows: int, side: int) -> dict[str, NDArray[Any]]:
    """Makes the batch.

    Args:
        rows: Photographs.
        side: Side of the views in pixels.

    Returns:
        Arrays under the keys of ``harl_tf``'s batches.
    """
    random = np.random.default_rng(0)
    grid = np.mgrid[:side, :side] / side
    centers = random.uniform(0.3, 0.7, (2, rows, 2, 1, 1))
    masks = (((grid - centers) ** 2).sum(axis=2) < 0.09).astype("uint8")
    batch: dict[str, NDArray[Any]] = {
        "seed": random.integers(0, 2**31, (rows, 2)).astype("int32"),
    }
    for view in (0, 1):
        window = np.array([view * 10, 0, 150, 200, view, 200, 240], "int32")
        images = random.uniform(0, 255, (rows, side, side, 3)).astype("float32")
        batch |= {
            f"colored{view + 1}": images,
            f"mask{view + 1}": masks[view],
            f"window{view + 1}": np.tile(window, (rows, 1)),
        }
    return batch
