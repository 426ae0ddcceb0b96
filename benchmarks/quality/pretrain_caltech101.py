"""Pretrains on Caltech-101 and ImageNet samples and follows the kNN accuracy on Caltech-101.

    python -m benchmarks.quality.pretrain_caltech101 --archives=FOLDER --work=FOLDER

``--archives`` holds ``caltech101.tar`` and ``imagenet1k_samples.tar`` (unlabelled photographs; only
the probe sees Caltech's labels). Interrupted, the same command goes on from the last saved epoch.
Writes ``pretrain_caltech101.csv`` and ``.png`` into ``--results``.
"""

import csv
import os
import pathlib
import tarfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
from absl import app, flags, logging

import mask_generation

FLAGS = flags.FLAGS
flags.DEFINE_string("archives", None, "Folder with the two tar files.", required=True)
flags.DEFINE_string("work", None, "Folder for photographs, records and the run.", required=True)
flags.DEFINE_string("results", "benchmarks/results", "Folder for the CSV and the plot.")
flags.DEFINE_integer("epochs", 40, "Epochs; the learning rate falls to 0 at the last.")
flags.DEFINE_integer("batch_size", 64, "Photographs per batch.")
flags.DEFINE_float("pixel_weight", 1.0, "Weight of the pixel loss; 0 is SimCLR.")
flags.DEFINE_string("run", "pretrain_caltech101", "Name of the run and of its results.")

IMAGE_SIZE = 96


class Clock(keras.callbacks.Callback):
    """Adds the seconds an epoch took, probe included."""

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the clock."""
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Reads it."""
        logs["seconds"] = time.monotonic() - self._start


def make_records(archives: pathlib.Path, work: pathlib.Path) -> None:
    """Unpacks the photographs and computes their masks, once."""
    for name in ("caltech101", "imagenet1k_samples"):
        folder, partial = work / "photographs" / name, work / f"{name}.partial"
        if not folder.exists():
            with tarfile.open(archives / f"{name}.tar") as archive:
                archive.extractall(partial, filter="data")
            folder.parent.mkdir(exist_ok=True)
            (partial / name).rename(folder)
            partial.rmdir()
    if not (work / "unlabelled").exists():
        mask_generation.convert(work / "photographs", work / "unlabelled", workers=2)
    if not (work / "labelled").exists():
        # The probe classifies whole photographs: none is left out for its mask.
        images = work / "photographs" / "caltech101" / "images"
        mask_generation.convert(images, work / "labelled", workers=2, flagged="keep")


def make_model(steps: int) -> harl_tf.HAPiCL:
    """ResNet-18 with 6×6 cells at 96 pixels, trained by SGD with warm-up and cosine decay."""
    colors = [harl_tf.layers.moco_color() for _ in range(2)]
    model = harl_tf.HAPiCL(
        harl_tf.backbones.resnet(18, output_stride=16),
        pixel_weight=FLAGS.pixel_weight,
        augmentations=colors,
    )
    rate = harl_tf.schedules.warmup_cosine(0.06, steps, warmup_steps=steps // 20)
    model.compile(keras.optimizers.SGD(rate, momentum=0.9, weight_decay=1e-4))
    return model


def plot(log: pathlib.Path, picture: pathlib.Path) -> None:
    """Draws loss terms, spread of the embeddings and kNN accuracy over the epochs."""
    import matplotlib.pyplot as plt

    rows = list(csv.DictReader(log.open()))
    epochs = [int(row["epoch"]) for row in rows]
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
    panels = (("loss_instance", "loss_pixel"), ("embedding_std",), ("knn_accuracy",))
    for axis, names in zip(axes, panels, strict=True):
        for name in names:
            points = [(e, float(r[name])) for e, r in zip(epochs, rows, strict=True) if r[name]]
            axis.plot(*zip(*points, strict=True), marker=".", label=name)
        axis.set_xlabel("epoch")
        axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, dpi=110)


def main(_: list[str]) -> None:
    """Runs what is not done yet."""
    logging.set_verbosity(logging.WARNING)
    work = pathlib.Path(FLAGS.work)
    make_records(pathlib.Path(FLAGS.archives), work)
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.utils.set_random_seed(0)
    views = harl_tf.data.PairedViews(work / "unlabelled", FLAGS.batch_size, IMAGE_SIZE)
    halves = (harl_tf.data.in_first_half, harl_tf.data.in_second_half)
    probe = harl_tf.callbacks.KNNProbe(
        *(harl_tf.data.labeled_images(work / "labelled", IMAGE_SIZE, keep=half) for half in halves)
    )
    model = make_model(FLAGS.epochs * views.steps_per_epoch)
    checkpoint = harl_tf.callbacks.Checkpoint(work / FLAGS.run, views)
    first = checkpoint.resume(model)
    log = work / f"{FLAGS.run}.csv"
    if first == 0:
        probe.set_model(model)
        fields = ["epoch", "embedding_std", "foreground_share", "knn_accuracy", "loss"]
        row = dict.fromkeys([*fields, "loss_instance", "loss_pixel", "seconds"], "")
        with log.open("w", newline="") as file:
            writer = csv.DictWriter(file, row)
            writer.writeheader()
            writer.writerow({**row, "epoch": 0, "knn_accuracy": probe.score()})
    drop_rows_after(log, first)
    logger = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: append(log, {"epoch": epoch + 1, **logs})
    )
    model.fit(
        views,
        epochs=FLAGS.epochs,
        initial_epoch=first,
        callbacks=[probe, Clock(), logger, checkpoint],
        verbose=2,
    )
    results = pathlib.Path(FLAGS.results)
    results.mkdir(parents=True, exist_ok=True)
    (results / f"{FLAGS.run}.csv").write_text(log.read_text())
    plot(log, results / f"{FLAGS.run}.png")


def drop_rows_after(log: pathlib.Path, epoch: int) -> None:
    """Removes what was logged after the epoch that a run continues from."""
    header, *rows = log.read_text().splitlines()
    kept = [row for row in rows if int(row.split(",")[0]) <= epoch]
    log.write_text("\n".join([header, *kept]) + "\n")


def append(log: pathlib.Path, row: dict[str, float]) -> None:
    """Appends a row to a CSV file, in the order of its header."""
    with log.open(newline="") as file:
        header = next(csv.reader(file))
    with log.open("a", newline="") as file:
        csv.DictWriter(file, header, extrasaction="ignore").writerow(
            {key: round(value, 6) for key, value in row.items()}
        )


if __name__ == "__main__":
    app.run(main)
