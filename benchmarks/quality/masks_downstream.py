"""Which masks give the better backbone: a short HAPiCL run per mask method, scored by kNN.

    python -m benchmarks.quality.masks_downstream --photographs=FOLDER --work=FOLDER

``--photographs`` is Tiny ImageNet's classes with their boxes: ``images/CLASS/NAME.jpg`` and
``labels.csv`` with columns file, xmin, ymin, xmax, ymax (in pixels from 0, xmax and ymax inside).
Every run sees the same photographs in the same order with the same initial weights; only the masks
differ, or, for ``none``, the pixel loss is left out. ``boxes`` uses the drawn boxes as masks. If
interrupted, run the same command again to continue with the first missing run. Writes
``masks_downstream.csv`` to ``--results``.
"""

import csv
import dataclasses
import pathlib
import time

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import numpy as np
from absl import app, flags, logging
from PIL import Image

import mask_generation
from benchmarks.harness import arguments, results
from harl_tf.recipes import RECIPES, Recipe

FLAGS = flags.FLAGS
arguments.define("results")
flags.DEFINE_string("photographs", None, "Folder with images/ and labels.csv.", required=True)
flags.DEFINE_string("work", None, "Folder for masks and records.", required=True)
flags.DEFINE_list(
    "methods",
    "none,balanced,cropped,fast,felzenszwalb,robust_background,barrier,boxes",
    "Mask methods of mask_generation, none or boxes.",
)
flags.DEFINE_list("seeds", "0", "Seeds; every method is run with each.")
flags.DEFINE_integer("epochs", 10, "Epochs; the learning rate decays to 0 at the last one.")

IMAGE_SIZE = 64
TABLE = "masks_downstream.csv"


def draw_boxes(photographs: pathlib.Path, masks: pathlib.Path) -> None:
    """Writes the boxes as masks, one file per photograph."""
    with (photographs / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            name = pathlib.Path(row["file"]).relative_to("images")
            width, height = Image.open(photographs / row["file"]).size
            mask = np.zeros((height, width), np.uint8)
            left, top, right, bottom = (int(row[k]) for k in ("xmin", "ymin", "xmax", "ymax"))
            mask[top : bottom + 1, left : right + 1] = 255
            path = (masks / name).with_suffix(".png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save(path)


def make_records(method: str, photographs: pathlib.Path, work: pathlib.Path) -> pathlib.Path:
    """Records with the masks of one method; no photograph is left out because of its mask."""
    out, drawn = work / f"records_{method}", None
    if out.exists():
        return out
    if method == "boxes":
        drawn = work / "boxes"
        draw_boxes(photographs, drawn)
    mask_generation.convert(
        photographs / "images",
        out,
        method={"none": "fast", "boxes": None}.get(method, method),
        masks=drawn,
        workers=2,
        flagged="keep",
        progress=False,
    )
    return out


def recipe_of(method: str) -> Recipe:
    """The small recipe with views of this size, without the pixel loss if there are no masks."""
    recipe = RECIPES["hapicl_small"]
    settings = {**recipe.settings, "pixel_weight": 0.0 if method == "none" else 1.0}
    return dataclasses.replace(
        recipe, settings=settings, image_size=IMAGE_SIZE, epochs=FLAGS.epochs
    )


def run(recipe: Recipe, seed: int, records: pathlib.Path) -> dict[str, float]:
    """Trains once and scores the backbone before and after."""
    keras.utils.set_random_seed(seed)
    views = recipe.views(records, seed)
    voting, classified = (
        harl_tf.data.labeled_images(records, IMAGE_SIZE, keep=half)
        for half in (harl_tf.data.in_first_half, harl_tf.data.in_second_half)
    )
    probe = harl_tf.callbacks.KNNProbe(voting, classified, every=recipe.epochs)
    steps = recipe.epochs * views.steps_per_epoch
    model = recipe.build_model(steps)
    model.compile(recipe.optimizer(steps, views.steps_per_epoch, recipe.batch_size))
    probe.set_model(model)
    before = probe.score().accuracy
    start = time.monotonic()
    history = model.fit(views, epochs=recipe.epochs, callbacks=[probe], verbose=2).history
    return {
        "knn_before": before,
        "knn_after": history["knn_accuracy"][-1],
        "foreground_share": history["foreground_share"][-1],
        "seconds": time.monotonic() - start,
    }


def main(_: list[str]) -> None:
    """Runs what has not been done yet."""
    logging.set_verbosity(logging.WARNING)
    photographs, work = pathlib.Path(FLAGS.photographs), pathlib.Path(FLAGS.work)
    work.mkdir(parents=True, exist_ok=True)
    done = {(row["method"], row["seed"], row["epochs"]) for row in results.read(TABLE)}
    for seed in FLAGS.seeds:
        for method in FLAGS.methods:
            if (method, seed, str(FLAGS.epochs)) in done:
                continue
            records = make_records(method, photographs, work)
            figures = run(recipe_of(method), int(seed), records)
            rounded = {name: round(value, 4) for name, value in figures.items()}
            row = {"method": method, "seed": seed, "epochs": FLAGS.epochs}
            results.append(TABLE, row | rounded)


if __name__ == "__main__":
    app.run(main)
