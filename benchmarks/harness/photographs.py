"""Photographs for measurements: scikit-image's, whole or cropped."""

import pathlib

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image

NAMES = ("astronaut", "coffee", "chelsea", "rocket", "cat", "hubble_deep_field", "retina")


def of_scikit_image() -> list[NDArray[np.uint8]]:
    """Seven photographs, RGB."""
    return [getattr(skimage.data, name)() for name in NAMES]


def cut_into(folder: pathlib.Path, count: int = 256) -> None:
    """Writes crops of them, scaled to 500 × 375, as JPEGs of about 60 kB each."""
    random = np.random.default_rng(0)
    sources = of_scikit_image()
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
