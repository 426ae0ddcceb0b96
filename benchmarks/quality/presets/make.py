"""Trains, measures and writes the backbones of ``pretrained/``.

    python -m benchmarks.quality.presets.make --archives=FOLDER --work=FOLDER --minutes=20

One recipe after the other, for the same time on the same photographs: four fifths of Caltech-101,
and the ImageNet samples, without labels. What is measured is the other fifth, which was not learned
from. Every step is the users' own command: ``pretrain``, then ``evaluate`` beside random
initialization. Run it on an otherwise idle machine; if interrupted, run it again to continue.
Writes ``pretrained/NAME``, the table ``presets.json`` of ``harl_tf.zoo``, ``presets.csv`` to
``--results``, and to ``--work`` the asset of a release: ``NAME_training_state.tar`` of the first
recipe, a run folder that ``pretrain`` goes on with.
"""

import csv
import dataclasses
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
from typing import Any

from absl import app, flags, logging

from benchmarks.harness import arguments, results
from benchmarks.quality.presets.labeled import labeled
from harl_tf.export import card_of, replace_card

FLAGS = flags.FLAGS
arguments.define("results")
flags.DEFINE_string("archives", None, "Folder with the data sets' tar files.", required=True)
flags.DEFINE_string("work", None, "Folder for photographs, records and runs.", required=True)
flags.DEFINE_list("recipes", "hapicl_small,harl_small,byol_small", "Recipes.")
flags.DEFINE_float("minutes", 20.0, "Length of each run.")
flags.DEFINE_string("pretrained", "pretrained", "Folder for the backbones.")
flags.DEFINE_string("table", "harl_tf/zoo/presets.json", "Table of the presets.")

SIDE = 96
MEASURED = "measured.csv"
DATA = (
    "1,888 photographs of Caltech-101 (at most 25 of each of 100 classes) and 497 ImageNet "
    "samples, without labels; for research"
)
LICENSE = "Apache-2.0; the photographs belong to their owners"
NOTES = (
    "A demonstration of minutes on two processor cores, not ImageNet weights. Measured on a fifth "
    "of the Caltech-101 photographs, which was not learned from."
)
HEADLINE = ("knn", "linear", "linear_10%")


def harl(*words: object) -> None:
    """Runs a command of ``python -m harl_tf``.

    Raises:
        CalledProcessError: If it fails.
    """
    subprocess.run([sys.executable, "-m", "harl_tf", *map(str, words)], check=True)


def measured(path: pathlib.Path) -> tuple[list[dict[str, str]], dict[str, float]]:
    """The rows of a table of ``evaluate``, and those that go into the card."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    networks = list(dict.fromkeys(row["backbone"] for row in rows))
    metrics = {}
    for row in rows:
        if row["evaluation"] in HEADLINE:
            random = " at random initialization" if row["backbone"] != networks[0] else ""
            metrics[f"{row['evaluation']}{random}"] = round(float(row["value"]), 3)
    return rows, metrics


def release(run: pathlib.Path, name: str, metrics: dict[str, float]) -> dict[str, Any]:
    """Copies the backbone of a run to ``pretrained/``; returns its row of the table."""
    folder = pathlib.Path(FLAGS.pretrained, name)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(run / "backbone", folder)
    settings = card_of(folder).notes
    card = dataclasses.replace(
        card_of(folder), data=DATA, license=LICENSE, metrics=metrics, image_size=SIDE
    )
    replace_card(folder, dataclasses.replace(card, notes=f"{NOTES}\n\n{settings}"))
    facts = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    begun = json.loads((run / "run.json").read_text(encoding="utf-8"))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {
        "name": name,
        "recipe": begun["recipe"],
        "data": DATA,
        "license": LICENSE,
        "epochs": begun["epochs"],
        "image_size": begun["image_size"],
        "parameters": facts["parameters"],
        "metrics": metrics,
        "megabytes": round(size / 1e6, 1),
    }


def pack(run: pathlib.Path, path: pathlib.Path) -> None:
    """Packs a run with its last saved epoch, and prints the checksum of the archive."""
    *older, _ = sorted(run.glob("epoch_*"))
    with tarfile.open(path, "w") as archive:
        for each in sorted(run.iterdir()):
            if each not in older and each.name != MEASURED:
                archive.add(each, f"{path.stem}/{each.name}")
    with path.open("rb") as file:
        print(hashlib.file_digest(file, "sha256").hexdigest(), path)


def main(_: list[str]) -> None:
    """Makes one preset after the other."""
    logging.set_verbosity(logging.WARNING)
    archives, work = pathlib.Path(FLAGS.archives), pathlib.Path(FLAGS.work)
    places = labeled(archives, work)
    table, rows = [], []
    for recipe in FLAGS.recipes:
        run = work / f"{recipe}_{FLAGS.minutes:g}_minutes"
        if not (run / "backbone" / "SHA256SUMS").exists():
            length = [] if (run / "run.json").exists() else ["--minutes", FLAGS.minutes]
            harl("pretrain", places["records"], run, "--recipe", recipe, *length)
        out = run / MEASURED
        made = run / "backbone" / "SHA256SUMS"
        if not out.exists() or out.stat().st_mtime < made.stat().st_mtime:
            words = ("--random", "--image-size", SIDE, "--csv", out)
            harl("evaluate", run, places["train"], places["test"], *words)
        found, metrics = measured(out)
        name = f"{recipe.removesuffix('_small')}_resnet10_caltech101"
        table.append(release(run, name, metrics))
        if recipe == FLAGS.recipes[0]:
            pack(run, work / f"{name}_training_state.tar")
        for row in found:
            row["backbone"] = name if row["backbone"] == run.as_posix() else row["backbone"]
            rows.append({"preset": name, **row})
    text = json.dumps(table, indent=1, ensure_ascii=False)
    pathlib.Path(FLAGS.table).write_text(text + "\n", encoding="utf-8")
    results.write("presets.csv", rows)


if __name__ == "__main__":
    app.run(main)
