"""What labels teach the same network in as many minutes: the bound beside the race.

    python -m benchmarks.quality.learning.supervised --archives=FOLDER --work=FOLDER --minutes=4

The network of the small recipes, with a classification layer, learns from the photographs *and
labels* that a seed of the race learns from without; crops, colors, side and optimizer are those of
the recipes. Scored like the race, on the part that is held out, and by its own classification layer
too. Writes ``learning_supervised.csv`` to ``--results``.
"""

import pathlib
import time

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import numpy as np
import tensorflow as tf
from absl import app, flags, logging

from benchmarks.harness import arguments, results
from benchmarks.quality.learning import sets
from benchmarks.quality.learning.course import PHOTOGRAPHS, steps_in
from benchmarks.quality.learning.settings import at_side
from harl_tf.data.geometry import DRAWS, draw_window
from harl_tf.layers.random_color import DRAWS as COLOR_DRAWS
from harl_tf.precision import dtype_policy
from harl_tf.recipes import RECIPES, Recipe

FLAGS = flags.FLAGS
arguments.define("results")
flags.DEFINE_string("archives", None, "Folder with the data sets' tar files.", required=True)
flags.DEFINE_string("work", None, "Folder for photographs and records.", required=True)
flags.DEFINE_enum("set", "tiny_imagenet10", list(sets.SETS), "Data set.")
flags.DEFINE_string("recipe", "simclr_small", "Recipe whose network, views and optimizer to use.")
flags.DEFINE_integer("seed", 0, "Seed, and the part that is held out.")
flags.DEFINE_float("minutes", 4.0, "Length of the run.")

TABLE = "learning_supervised.csv"


class LabeledViews(keras.utils.PyDataset):
    """One view of each photograph, cropped and colored as in a recipe, and its label.

    Example:
        >>> data = np.zeros((4, 24, 24, 3), "uint8"), np.array([0, 1, 0, 1])
        >>> views, labels = LabeledViews(*data, RECIPES["simclr_small"], seed=0)[0]
        >>> views.shape, labels.shape
        (TensorShape([4, 48, 48, 3]), (4,))
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, recipe: Recipe, seed: int) -> None:
        super().__init__()
        self._images, self._labels = images, labels
        self._recipe, self._color = recipe, recipe.colors()[0]
        self._size = min(recipe.batch_size, len(labels))
        self._random = np.random.default_rng(seed)
        self.on_epoch_begin()

    def __len__(self) -> int:
        return len(self._labels) // self._size

    def on_epoch_begin(self) -> None:
        """Another order."""
        self._order = self._random.permutation(len(self._labels))

    def __getitem__(self, index: int) -> tuple[tf.Tensor, np.ndarray]:
        chosen = self._order[index * self._size : (index + 1) * self._size]
        height, width = self._images.shape[1:3]
        boxes = np.empty((len(chosen), 4), np.float32)
        for box, draws in zip(boxes, self._random.random((len(chosen), DRAWS)), strict=True):
            window = draw_window(draws.tolist(), height, width, self._recipe.crops[0])
            left, right = window.left, window.left + window.width - 1
            if window.mirrored:
                left, right = right, left
            box[:] = window.top, left, window.top + window.height - 1, right
        boxes /= np.array([height - 1, width - 1] * 2, np.float32)
        side = (self._recipe.image_size,) * 2
        crops = tf.image.crop_and_resize(self._images[chosen], boxes, range(len(chosen)), side)
        draws = self._random.random((len(chosen), COLOR_DRAWS), np.float32)
        return self._color(crops, draws), self._labels[chosen]


def classifier(recipe: Recipe, classes: int) -> tuple[keras.Model, keras.Model]:
    """The recipe's network with random weights, and it with a classification layer."""
    backbone = recipe.network.build(recipe.image_size)
    images = keras.Input((None, None, 3))
    last = list(backbone.output)[-1]
    pooled = keras.layers.GlobalAveragePooling2D()(backbone(images)[last])
    logits = keras.layers.Dense(classes, dtype="float32")(pooled)
    return backbone, keras.Model(images, logits)


def run(folder: pathlib.Path, recipe: Recipe, seed: int) -> dict[str, object]:
    """Trains once and scores the network on the photographs that are held out."""
    data = sets.SETS[FLAGS.set]
    with np.load(folder / PHOTOGRAPHS) as arrays:
        images, labels = arrays["train"], arrays["train_labels"]
        others, wanted = arrays["test"], arrays["test_labels"]
    views = LabeledViews(images, labels, recipe, seed)
    keras.utils.set_random_seed(seed)
    with dtype_policy(recipe.precision):
        trial, (backbone, model) = (classifier(recipe, int(labels.max()) + 1) for _ in range(2))
    compile_for(trial[1], recipe, 1000, len(views))
    steps = steps_in(FLAGS.minutes, lambda: trial[1].train_on_batch(*views[0]))
    epochs = max(1, steps // len(views))
    compile_for(model, recipe, epochs * len(views), len(views))
    start = time.monotonic()
    model.fit(views, epochs=epochs, verbose=0, shuffle=False)
    seconds = time.monotonic() - start
    vectors = [
        harl_tf.evaluation.Embedder(backbone).vectors(np.array_split(each, len(each) // 128))
        for each in (images, others)
    ]
    scored = vectors[0], labels, vectors[1], wanted
    return {
        "epochs": epochs,
        "steps": epochs * len(views),
        "seconds": round(seconds),
        "own_layer": round(float(np.mean(model.predict(others, verbose=0).argmax(1) == wanted)), 4),
        "knn": round(harl_tf.evaluation.knn_accuracy(*scored, data.neighbors), 4),
        "linear": round(harl_tf.evaluation.linear_accuracy(*scored), 4),
    }


def compile_for(model: keras.Model, recipe: Recipe, steps: int, steps_per_epoch: int) -> None:
    """Compiles with the recipe's optimizer for a run of so many steps."""
    model.compile(
        recipe.optimizer(steps, steps_per_epoch, recipe.batch_size),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )


def main(_: list[str]) -> None:
    """Runs once."""
    logging.set_verbosity(logging.WARNING)
    data = sets.SETS[FLAGS.set]
    part = FLAGS.seed % sets.PARTS
    folder = sets.prepare(FLAGS.set, part, pathlib.Path(FLAGS.archives), pathlib.Path(FLAGS.work))
    recipe = at_side(RECIPES[FLAGS.recipe], data.side)
    facts = {"set": FLAGS.set, "minutes": FLAGS.minutes, "seed": FLAGS.seed}
    results.append(TABLE, {**facts, **run(folder, recipe, FLAGS.seed)})


if __name__ == "__main__":
    app.run(main)
