"""A race: what is learned in how many minutes, ours beside lightly on the same machine.

    python -m benchmarks.quality.learning.race --archives=FOLDER --work=FOLDER --peers=PYTHON

Every run is a process of its own, alone on the machine; contestants take turns, seed by seed.
Seed ``s`` is scored on photographs that it has not learned from, nor their labels
(``benchmarks.quality.learning.sets``). A run is as many steps as fit into ``--minutes``, and its
schedule ends with it. At ten marks the clock stands still and the features are kept; all are scored
by the same code, kNN and a closed-form linear classifier. If interrupted, run the same command
again to continue with the first missing run. Writes ``learning_race.csv`` to ``--results``; draw it
with ``benchmarks.quality.learning.race_plot``.
"""

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import numpy as np
from absl import app, flags, logging

from benchmarks.harness import arguments, machine, results, usage
from benchmarks.quality.learning import sets
from benchmarks.quality.learning.course import PHOTOGRAPHS
from benchmarks.quality.learning.settings import peer_settings
from harl_tf.recipes import RECIPES

FLAGS = flags.FLAGS
arguments.define("results", "peers")
flags.DEFINE_string("archives", None, "Folder with the data sets' tar files.", required=True)
flags.DEFINE_string("work", None, "Folder for photographs, records and features.", required=True)
flags.DEFINE_list("sets", ",".join(sets.SETS), "Data sets.")
flags.DEFINE_list("recipes", "simclr_small,byol_small,harl_small,hapicl_small", "Our contestants.")
flags.DEFINE_integer("seeds", 3, "Number of seeds; each holds out another part.")
flags.DEFINE_float("minutes", 5.0, "Length of a run.")

TABLE = "learning_race.csv"


def contestants(side: int) -> dict[str, list[str]]:
    """The command of each contestant, without folder, output, minutes and seed."""
    ours = [sys.executable, "-m", "benchmarks.quality.learning.ours"]
    found = {f"harl_tf {name}": [*ours, name, str(side)] for name in FLAGS.recipes}
    if FLAGS.peers is None:
        return found
    for method in ("simclr", "byol"):
        recipe = RECIPES[f"{method}_small"]
        for name, settings in peer_settings(recipe, side).items():
            command = [FLAGS.peers, "-m", "benchmarks.peers.learning", method]
            found[f"lightly {method}, {name}"] = [*command, json.dumps(settings)]
    return found


def run(command: list[str], folder: pathlib.Path, out: pathlib.Path, seed: int) -> float:
    """Runs a contestant; returns the share of CPU time that other processes used meanwhile."""
    if out.exists():  # an interrupted run
        shutil.rmtree(out)
    machine.wait_until_idle(1.0)
    start, before, used = time.perf_counter(), machine.busy_seconds(), usage.cpu_seconds()
    line = [*command, str(folder), str(out), str(FLAGS.minutes), str(seed)]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    others = machine.busy_seconds() - before - (usage.cpu_seconds() - used)
    return max(0.0, others / (time.perf_counter() - start) / (os.cpu_count() or 1))


def scores(folder: pathlib.Path, out: pathlib.Path, neighbors: int) -> Iterator[dict[str, Any]]:
    """The accuracy at each mark."""
    with np.load(folder / PHOTOGRAPHS) as arrays:
        labels = arrays["train_labels"], arrays["test_labels"]
    for path in sorted(out.glob("*.npz")):
        with np.load(path) as mark:
            data = mark["train"], labels[0], mark["test"], labels[1]
            knn = harl_tf.evaluation.knn_accuracy(*data, neighbors)
            linear = harl_tf.evaluation.linear_accuracy(*data)
            yield {
                "minute": round(float(mark["minutes"]), 3),
                "step": int(mark["steps"]),
                "knn": round(knn, 4),
                "linear": round(linear, 4),
            }


def main(_: list[str]) -> None:
    """Runs what has not been done yet."""
    logging.set_verbosity(logging.WARNING)
    archives, work = pathlib.Path(FLAGS.archives), pathlib.Path(FLAGS.work)
    keys = ("set", "minutes", "seed", "contestant")
    done = {tuple(row[key] for key in keys) for row in results.read(TABLE)}
    for seed in range(FLAGS.seeds):
        for name in FLAGS.sets:
            data = sets.SETS[name]
            folder = sets.prepare(name, seed % sets.PARTS, archives, work)
            commands = contestants(data.side)
            for contestant in random.Random(seed).sample(sorted(commands), len(commands)):
                key = (name, str(FLAGS.minutes), str(seed), contestant)
                if key in done:
                    continue
                out = work / "features"
                others = run(commands[contestant], folder, out, seed)
                for row in scores(folder, out, data.neighbors):
                    facts = {**dict(zip(keys, key, strict=True)), **row}
                    results.append(TABLE, {**facts, "others": round(others, 3)})


if __name__ == "__main__":
    app.run(main)
