"""Photographs for measurements, cut out of those that come with scikit-image."""

import pathlib

import numpy as np
import skimage.data
from PIL import Image

SOURCES = ("astronaut", "coffee", "chelsea", "rocket", "cat", "hubble_deep_field", "retina")


def photographs_of_scikit_image(folder: pathlib.Path, count: int = 256) -> None:
    """Parts of its photographs, scaled to 500 × 375."""
    random = np.random.default_rng(0)
    sources = [getattr(skimage.data, name)() for name in SOURCES]
    for index in range(count):
        whole = sources[index % len(sources)]
        width = int(random.uniform(0.6, 1) * min(whole.shape[1], whole.shape[0] * 4 / 3))
        height = width * 3 // 4
        top = random.integers(0, whole.shape[0] - height + 1)
        left = random.integers(0, whole.shape[1] - width + 1)
        part = Image.fromarray(whole[top : top + height, left : left + width])
        part.resize((500, 375), Image.Resampling.BICUBIC).save(
            folder / f"{index:04d}.jpg", quality=95
        )
