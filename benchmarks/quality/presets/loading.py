"""How long the backbones of ``pretrained/`` take to load, and how large they are.

    python -m benchmarks.quality.presets.loading

Prints the median of five for every way of loading, after one that is not counted.
"""

import pathlib
import statistics
import time
from collections.abc import Callable

import keras
import tensorflow as tf
from absl import app

import harl_tf

DOORS: dict[str, Callable[[pathlib.Path], object]] = {
    "backbone.keras": lambda folder: keras.saving.load_model(folder / "backbone.keras"),
    "load_backbone": harl_tf.load_backbone,
    "SavedModel": lambda folder: tf.saved_model.load(str(folder)),
}


def main(_: list[str]) -> None:
    """Prints a line for each backbone."""
    for preset in harl_tf.list_presets():
        folder = pathlib.Path("pretrained", preset.name)
        seconds = {}
        for name, load in DOORS.items():
            load(folder)
            seconds[name] = statistics.median(_seconds(load, folder) for _ in range(5))
        told = ", ".join(f"{name} {value:.2f} s" for name, value in seconds.items())
        print(f"{preset.name}: {preset.megabytes} MB, {told}")


def _seconds(load: Callable[[pathlib.Path], object], folder: pathlib.Path) -> float:
    start = time.perf_counter()
    load(folder)
    return time.perf_counter() - start


if __name__ == "__main__":
    app.run(main)
