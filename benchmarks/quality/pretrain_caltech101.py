"""Pretrains on Caltech-101 and ImageNet samples and tracks kNN accuracy on Caltech-101.

    python -m benchmarks.quality.pretrain_caltech101 --archives=FOLDER --work=FOLDER [-- OPTION ...]

``--archives`` contains ``caltech101.tar`` and ``imagenet1k_samples.tar`` (unlabeled photographs;
only the probe sees Caltech's labels). Owns the records and the plot; the run itself is ``python -m
harl_tf pretrain``, which gets the arguments after ``--``, such as ``--epochs 10`` or another
``--recipe``. If interrupted, run the same command again to continue from the last saved epoch.
Writes ``pretrain_caltech101.csv``, the run's log, and ``.png`` to ``--results``.
"""

import pathlib
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence

from absl import app, flags, logging

import mask_generation
from benchmarks.harness import arguments, plots, results
from benchmarks.harness.results import Row

FLAGS = flags.FLAGS
arguments.define("results")
flags.DEFINE_string("archives", None, "Folder with the two tar files.", required=True)
flags.DEFINE_string("work", None, "Folder for photographs, records and the run.", required=True)
flags.DEFINE_string("run", "pretrain_caltech101", "Name of the run and of its results.")

ARCHIVES = ("caltech101", "imagenet1k_samples")
PANELS = (("loss_instance", "loss_pixel"), ("embedding_std",), ("knn_accuracy",))
"""Columns of the log that are plotted together."""


def unpack(archives: pathlib.Path, photographs: pathlib.Path) -> None:
    """Unpacks the photographs that are not there yet, each archive completely or not at all."""
    photographs.mkdir(parents=True, exist_ok=True)
    for name in ARCHIVES:
        folder, partial = photographs / name, photographs.with_name(f"{name}.partial")
        if not folder.exists():
            with tarfile.open(archives / f"{name}.tar") as archive:
                archive.extractall(partial, filter="data")
            (partial / name).rename(folder)
            partial.rmdir()


def make_records(photographs: pathlib.Path, work: pathlib.Path) -> tuple[pathlib.Path, ...]:
    """Unlabeled records of all photographs, and labeled records of Caltech's, made once."""
    unlabeled, labeled = work / "unlabelled", work / "labelled"
    if not unlabeled.exists():
        mask_generation.convert(photographs, unlabeled, workers=2)
    if not labeled.exists():
        # The probe classifies whole photographs, so none is left out because of its mask.
        images = photographs / "caltech101" / "images"
        mask_generation.convert(images, labeled, workers=2, flagged="keep")
    return unlabeled, labeled


def pretrain(
    records: pathlib.Path, folder: pathlib.Path, labeled: pathlib.Path, options: Sequence[str]
) -> None:
    """Runs the recipe as a user would.

    Raises:
        SystemExit: If the command fails, with its exit code.
    """
    command = [sys.executable, "-m", "harl_tf", "pretrain", str(records), str(folder)]
    command += ["--recipe", "hapicl_small", "--labelled", str(labeled), *options]
    code = subprocess.run(command, check=False).returncode
    if code:
        raise SystemExit(code)


def draw(log: Sequence[Row], picture: pathlib.Path) -> None:
    """Loss terms, spread of the embeddings and kNN accuracy over the epochs."""
    figure, panels = plots.panels(1, len(PANELS), (12, 3.2))
    epochs = [int(row["epoch"]) for row in log]
    for axes, names in zip(panels, PANELS, strict=True):
        for name in names:
            if name in log[0]:  # other recipes have other terms
                axes.plot(epochs, [float(row[name]) for row in log], marker=".", label=name)
        axes.set_xlabel("epoch")
    plots.save(figure, picture)


def main(argv: list[str]) -> None:
    """Does what has not been done yet."""
    logging.set_verbosity(logging.WARNING)
    work = pathlib.Path(FLAGS.work)
    unpack(pathlib.Path(FLAGS.archives), work / "photographs")
    unlabeled, labeled = make_records(work / "photographs", work)
    run = work / FLAGS.run
    pretrain(unlabeled, run, labeled, options=argv[1:])
    shutil.copyfile(run / "log.csv", results.path(f"{FLAGS.run}.csv"))
    draw(results.read(f"{FLAGS.run}.csv"), results.path(f"{FLAGS.run}.png"))


if __name__ == "__main__":
    app.run(main)
