"""Trains every method on the toy world with several seeds: kNN accuracy, region separation.

    python -m benchmarks.quality.toy_world

HAPiCL is trained a second time with masks swapped between pictures. If interrupted, run the same
command again to continue with the first trial missing from ``toy_world.csv`` in ``--results``.
"""

import harl_tf  # noqa: F401  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
from absl import app, flags, logging

from benchmarks.harness import arguments, results
from benchmarks.quality.toy_world import trial

FLAGS = flags.FLAGS
arguments.define("results")
flags.DEFINE_integer("seeds", 3, "Seeds per method, counted from 0.")

TABLE = "toy_world.csv"


def main(_: list[str]) -> None:
    """Runs the trials that are not in the table yet."""
    logging.set_verbosity(logging.WARNING)
    done = {(row["method"], row["masks"], int(row["seed"])) for row in results.read(TABLE)}
    trained = [(method, "true") for method in trial.METHODS] + [("hapicl", "exchanged")]
    for seed in range(FLAGS.seeds):
        for method, masks in trained:
            if (method, masks, seed) not in done:
                results.append(TABLE, measure(method, masks, seed))
                keras.backend.clear_session()


def measure(method: str, masks: str, seed: int) -> dict[str, str | int | float]:
    """A row of the table."""
    result = trial.run(method, seed, exchanged=masks == "exchanged")
    row: dict[str, str | int | float] = {"method": method, "masks": masks, "seed": seed}
    row["epochs"] = trial.METHODS[method].epochs
    for figure in trial.Score._fields:
        row[f"{figure}_before"] = round(getattr(result.before, figure), 4)
        row[f"{figure}_after"] = round(getattr(result.after, figure), 4)
    row["embedding_std"] = round(result.embedding_std, 4)
    row["seconds"] = round(result.seconds, 1)
    row["cpu_seconds"] = round(result.cpu_seconds, 1)
    return row


if __name__ == "__main__":
    app.run(main)
