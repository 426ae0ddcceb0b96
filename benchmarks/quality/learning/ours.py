"""A run of harl_tf in the race: a recipe, for as many steps as fit into the minutes.

python -m benchmarks.quality.learning.ours RECIPE SIDE FOLDER OUT MINUTES SEED
"""

import dataclasses
import functools
import pathlib
import sys

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import numpy as np

from benchmarks.quality.learning.course import Course
from benchmarks.quality.learning.settings import at_side, compiled
from harl_tf.commands.pretraining import budget
from harl_tf.recipes import RECIPES


class _Marks(keras.callbacks.Callback):
    """Follows the course."""

    def __init__(self, course: Course) -> None:
        super().__init__()
        self.course, self.step = course, 0

    def on_train_batch_end(self, batch: int, logs: dict[str, object] | None = None) -> None:
        self.step += 1
        self.course.after(self.step, self.embed)

    @functools.cached_property
    def _embedder(self) -> harl_tf.evaluation.Embedder:
        return harl_tf.evaluation.Embedder(self.model.backbone)

    def embed(self, images: np.ndarray) -> np.ndarray:
        """Mean features of the last map, as ``harl_tf.evaluation`` takes them."""
        parts = [images[first : first + 256] for first in range(0, len(images), 256)]
        return self._embedder.vectors(parts)


def main() -> None:
    """Runs once."""
    name, side, folder, out, minutes, seed = sys.argv[1:]
    recipe = at_side(RECIPES[name], int(side))
    records = pathlib.Path(folder, "records")
    views = recipe.views(records, int(seed))
    trial = compiled(recipe, 1000, views.steps_per_epoch, int(seed))
    steps = float(minutes) * 60 / budget.measure(trial, views)
    epochs = max(1, int(steps / views.steps_per_epoch))
    recipe = dataclasses.replace(recipe, epochs=epochs)
    course = Course(pathlib.Path(folder), pathlib.Path(out), epochs * views.steps_per_epoch)
    model = compiled(recipe, course.steps, views.steps_per_epoch, int(seed))
    marks = _Marks(course)
    marks.set_model(model)
    course.start(marks.embed)
    model.fit(views, epochs=epochs, callbacks=[marks], verbose=0)


if __name__ == "__main__":
    main()
