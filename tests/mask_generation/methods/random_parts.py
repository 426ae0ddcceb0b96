"""Superpixels of random colors in a checkerboard of blocks, for the methods' tests."""

import numpy as np

from mask_generation.image.superpixels import Superpixels, measure


def random_parts(seed: int, rows: int = 5, columns: int = 6, block: int = 4) -> Superpixels:
    labels = np.kron(np.arange(rows * columns).reshape(rows, columns), np.ones((block, block), int))
    random = np.random.default_rng(seed)
    colors = random.uniform((10, -40, -40), (90, 40, 40), (rows * columns, 3))
    return measure(labels, colors[labels])
