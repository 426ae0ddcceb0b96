"""Which masks make the better backbone: a short HAPiCL run for each method, told apart by kNN.

    python -m benchmarks.quality.masks_downstream --photographs=FOLDER --work=FOLDER

``--photographs`` is Tiny ImageNet's classes with their boxes: ``images/CLASS/NAME.jpg`` and
``labels.csv`` with columns file, xmin, ymin, xmax, ymax (in pixels from 0, the last ones inside).
Every run sees the same photographs in the same order with the same first weights; only the masks
differ, or, as ``none``, the pixel loss is left out. ``boxes`` takes the drawn boxes for masks.
Interrupted, the same command goes on with the first run that is missing. Writes
``masks_downstream.csv`` into ``--results``.
"""

import csv
import dataclasses
import os
import pathlib
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import numpy as np
from absl import app, flags, logging
from PIL import Image

import mask_generation

FLAGS = flags.FLAGS
flags.DEFINE_string("photographs", None, "Folder with images/ and labels.csv.", required=True)
flags.DEFINE_string("work", None, "Folder for masks and records.", required=True)
flags.DEFINE_string("results", "benchmarks/results", "Folder for the CSV.")
flags.DEFINE_list(
    "methods",
    "none,balanced,cropped,fast,felzenszwalb,robust_background,barrier,boxes",
    "Mask methods of mask_generation; none and boxes.",
)
flags.DEFINE_list("seeds", "0", "A run of every method for each.")
flags.DEFINE_integer("epochs", 10, "Epochs; the learning rate falls to 0 at the last.")

IMAGE_SIZE = 64
BATCH_SIZE = 64
FIELDS = ("method", "seed", "epochs", "knn_before", "knn_after", "foreground_share", "seconds")


def draw_boxes(photographs: pathlib.Path, masks: pathlib.Path) -> None:
    """Writes the boxes as masks, one file to a photograph."""
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
    """Records with the masks of one method; no photograph is left out for its mask."""
    out = work / f"records_{method}"
    if out.exists():
        return out
    if method == "boxes":
        draw_boxes(photographs, work / "boxes")
        chosen = {"masks": work / "boxes"}
    else:
        chosen = {"method": "fast" if method == "none" else method}
    mask_generation.convert(
        photographs / "images", out, workers=2, flagged="keep", progress=False, **chosen
    )
    return out


def run(method: str, seed: int, records: pathlib.Path) -> dict[str, float]:
    """Trains once and scores the backbone before and after."""
    keras.utils.set_random_seed(seed)
    recipe = harl_tf.recipes.RECIPES["hapicl_small"]
    settings = {**recipe.settings, "pixel_weight": 0.0 if method == "none" else 1.0}
    recipe = dataclasses.replace(recipe, settings=settings, output_stride=16)
    views = harl_tf.data.PairedViews(records, BATCH_SIZE, IMAGE_SIZE, seed=seed)
    halves = (harl_tf.data.in_first_half, harl_tf.data.in_second_half)
    probe = harl_tf.callbacks.KNNProbe(
        *(harl_tf.data.labeled_images(records, IMAGE_SIZE, keep=half) for half in halves),
        every=FLAGS.epochs,
    )
    steps = FLAGS.epochs * views.steps_per_epoch
    model = recipe.build_model(steps)
    model.compile(recipe.optimizer(steps, views.steps_per_epoch, BATCH_SIZE))
    probe.set_model(model)
    before = probe.score()
    start = time.monotonic()
    history = model.fit(views, epochs=FLAGS.epochs, callbacks=[probe], verbose=2).history
    return {
        "knn_before": before,
        "knn_after": history["knn_accuracy"][-1],
        "foreground_share": history["foreground_share"][-1],
        "seconds": time.monotonic() - start,
    }


def main(_: list[str]) -> None:
    """Runs what is not done yet."""
    logging.set_verbosity(logging.WARNING)
    photographs, work = pathlib.Path(FLAGS.photographs), pathlib.Path(FLAGS.work)
    work.mkdir(parents=True, exist_ok=True)
    log = pathlib.Path(FLAGS.results) / "masks_downstream.csv"
    rows = list(csv.DictReader(log.open())) if log.exists() else []
    done = {(row["method"], row["seed"], row["epochs"]) for row in rows}
    for seed in FLAGS.seeds:
        for method in FLAGS.methods:
            if (method, seed, str(FLAGS.epochs)) in done:
                continue
            figures = run(method, int(seed), make_records(method, photographs, work))
            figures = {name: round(value, 4) for name, value in figures.items()}
            rows.append({"method": method, "seed": seed, "epochs": FLAGS.epochs, **figures})
            with log.open("w", newline="") as file:
                writer = csv.DictWriter(file, FIELDS)
                writer.writeheader()
                writer.writerows(rows)


if __name__ == "__main__":
    app.run(main)
