"""What settled the small recipes: the same minutes with one setting changed.

    python -m benchmarks.quality.learning.variations --archives=FOLDER --work=FOLDER

Every run is a process of its own, as many steps as fit into ``--minutes``, so run it on an
otherwise idle machine. A backbone learns from all photographs of a set without their labels; its
features are then classified five times, each time one fifth by the labels of the others, so that
every photograph is scored once. (The race, ``benchmarks.quality.learning.race``, scores photographs
that were not learned from at all.) If interrupted, run the same command again to continue with the
first missing run. Writes ``learning_variations.csv`` to ``--results``.
"""

import pathlib
import subprocess
import sys
import time

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import numpy as np
from absl import app, flags, logging

from benchmarks.harness import arguments, results
from benchmarks.quality.learning import sets
from benchmarks.quality.learning.changes import GROUPS, changed
from benchmarks.quality.learning.course import PHOTOGRAPHS
from benchmarks.quality.learning.settings import compiled
from harl_tf.commands.pretraining import budget
from harl_tf.recipes import RECIPES

FLAGS = flags.FLAGS
arguments.define("results")
flags.DEFINE_string("archives", None, "Folder with the data sets' tar files.", required=True)
flags.DEFINE_string("work", None, "Folder for photographs and records.", required=True)
flags.DEFINE_enum("set", "tiny_imagenet10", list(sets.SETS), "Data set.")
flags.DEFINE_string("recipe", "simclr_small", "Recipe to change.")
flags.DEFINE_list("groups", ",".join(GROUPS), "Groups of changes.")
flags.DEFINE_list("seeds", "0", "Seeds.")
flags.DEFINE_float("minutes", 2.5, "Length of a run.")
flags.DEFINE_string("change", None, "Internal: the change that this process runs.")

TABLE = "learning_variations.csv"


def run(folder: pathlib.Path, change: str, seed: int) -> dict[str, object]:
    """Trains once and scores the backbone."""
    data = sets.SETS[FLAGS.set]
    recipe = changed(RECIPES[FLAGS.recipe], data.side, change)
    views = recipe.views(folder / "records", seed)
    per_epoch = views.steps_per_epoch
    step = budget.measure(compiled(recipe, 1000, per_epoch, seed), views)
    epochs = max(1, round(FLAGS.minutes * 60 / step / per_epoch))
    steps = epochs * per_epoch
    model = compiled(recipe, steps, per_epoch, seed)
    start = time.monotonic()
    model.fit(views, epochs=epochs, verbose=0)
    seconds = time.monotonic() - start
    return {
        "batch": recipe.batch_size,
        "steps": steps,
        "seconds": round(seconds),
        **scored(model.backbone, folder, data.neighbors),
    }


def scored(backbone: keras.Model, folder: pathlib.Path, neighbors: int) -> dict[str, float]:
    """Accuracy of five classifications, each of one fifth by the others."""
    with np.load(folder / PHOTOGRAPHS) as arrays:
        images = np.concatenate([arrays["train"], arrays["test"]])
        labels = np.concatenate([arrays["train_labels"], arrays["test_labels"]])
    batches = [
        (images[first : first + 256], labels[first : first + 256])
        for first in range(0, len(images), 256)
    ]
    vectors, labels = harl_tf.evaluation.Embedder(backbone)(batches)
    fifth = np.random.default_rng(0).permutation(len(labels)) % 5
    right = {"knn": 0.0, "linear": 0.0}
    for each in range(5):
        train, test = fifth != each, fifth == each
        data = vectors[train], labels[train], vectors[test], labels[test]
        right["knn"] += test.mean() * harl_tf.evaluation.knn_accuracy(*data, neighbors)
        right["linear"] += test.mean() * harl_tf.evaluation.linear_accuracy(*data)
    return {name: round(value, 4) for name, value in right.items()}


def main(argv: list[str]) -> None:
    """Runs what has not been done yet, each in a process of its own."""
    logging.set_verbosity(logging.WARNING)
    archives, work = pathlib.Path(FLAGS.archives), pathlib.Path(FLAGS.work)
    folder = sets.prepare(FLAGS.set, None, archives, work)
    if FLAGS.change is not None:
        seed = int(FLAGS.seeds[0])
        row = {"set": FLAGS.set, "recipe": FLAGS.recipe, "minutes": FLAGS.minutes, "seed": seed}
        results.append(TABLE, {**row, "change": FLAGS.change, **run(folder, FLAGS.change, seed)})
        return
    keys = ("set", "recipe", "minutes", "seed", "change")
    for seed in FLAGS.seeds:
        for change in dict.fromkeys(name for group in FLAGS.groups for name in GROUPS[group]):
            key = (FLAGS.set, FLAGS.recipe, str(FLAGS.minutes), seed, change)
            if key in {tuple(row[each] for each in keys) for row in results.read(TABLE)}:
                continue
            line = [sys.executable, "-m", "benchmarks.quality.learning.variations", *argv[1:]]
            line += [f"--{each}={getattr(FLAGS, each)}" for each in ("archives", "work", "results")]
            line += [f"--{each}={getattr(FLAGS, each)}" for each in ("set", "recipe", "minutes")]
            subprocess.run([*line, f"--seeds={seed}", f"--change={change}"], check=True)


if __name__ == "__main__":
    app.run(main)
