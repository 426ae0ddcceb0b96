"""A run of harl_tf in the race: a recipe, for as many steps as fit into the minutes.

python -m benchmarks.quality.learning.ours RECIPE SIDE FOLDER OUT MINUTES SEED
"""

import dataclasses
import pathlib
import sys

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import numpy as np

from benchmarks.quality.learning.course import Course
from benchmarks.quality.learning.settings import at_side
from harl_tf.commands import budget
from harl_tf.recipes import RECIPES, Recipe


class _Marks(keras.callbacks.Callback):
    """Follows the course."""

    def __init__(self, course: Course) -> None:
        super().__init__()
        self.course, self.step = course, 0

    def on_train_batch_end(self, batch: int, logs: dict[str, object] | None = None) -> None:
        self.step += 1
        self.course.after(self.step, self.embed)

    def embed(self, images: np.ndarray) -> np.ndarray:
        """Mean features of the last map, as ``harl_tf.evaluation`` takes them."""
        batches = [
            (images[first : first + 256], np.zeros(len(images[first : first + 256]), np.int64))
            for first in range(0, len(images), 256)
        ]
        return harl_tf.evaluation.Embedder(self.model.backbone)(batches)[0]


def _model(
    recipe: Recipe, steps: int, steps_per_epoch: int, seed: int
) -> harl_tf.pretraining.Pretraining:
    keras.utils.set_random_seed(seed)
    model = recipe.build_model(steps)
    model.compile(recipe.optimizer(steps, steps_per_epoch, recipe.batch_size))
    return model


def main() -> None:
    """Runs once."""
    name, side, folder, out, minutes, seed = sys.argv[1:]
    recipe = at_side(RECIPES[name], int(side))
    records = pathlib.Path(folder, "records")
    views = recipe.views(records, int(seed))
    trial = _model(recipe, 1000, views.steps_per_epoch, int(seed))
    steps = float(minutes) * 60 / budget.measure(trial, views)
    epochs = max(1, int(steps / views.steps_per_epoch))
    recipe = dataclasses.replace(recipe, epochs=epochs)
    course = Course(pathlib.Path(folder), pathlib.Path(out), epochs * views.steps_per_epoch)
    model = _model(recipe, course.steps, views.steps_per_epoch, int(seed))
    marks = _Marks(course)
    marks.set_model(model)
    course.start(marks.embed)
    model.fit(views, epochs=epochs, callbacks=[marks], verbose=0)


if __name__ == "__main__":
    main()
