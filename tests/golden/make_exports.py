"""Writes the exports of this version that every later one must open.

    python -m tests.golden.make_exports

Run it once per version that changes a format, under a new name in ``FOLDER``, and keep the older
folders: people have such files.
"""

import pathlib

import keras
import numpy as np

import harl_tf
from tests.networks import tiny_pyramid

FOLDER = pathlib.Path(__file__).parent / "exports_schema_2"


def images() -> np.ndarray:
    """The same on every machine."""
    return np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3)).astype("float32")


def main() -> None:
    """Makes a small network that is not symmetrical in anything, and exports it."""
    keras.utils.set_random_seed(0)
    backbone = tiny_pyramid()
    random = np.random.default_rng(1)
    for weight in backbone.weights:
        if "variance" in weight.path or "gamma" in weight.path:
            weight.assign(random.uniform(0.5, 2, weight.shape))
        elif "mean" in weight.path or "beta" in weight.path:
            weight.assign(random.normal(0, 0.3, weight.shape))
    card = harl_tf.export.Card(data="random numbers", license="CC0-1.0", image_size=32)
    harl_tf.export_backbone(backbone, FOLDER / "backbone", card)
    harl_tf.export.export_preset(backbone, FOLDER / "preset")
    maps = {name: np.asarray(value) for name, value in backbone(images(), training=False).items()}
    np.savez(FOLDER / "maps.npz", allow_pickle=False, **maps)


if __name__ == "__main__":
    main()
