"""Views of which size teach most in the same minutes, for photographs that are not thumbnails.

    python -m benchmarks.quality.learning.sizes --archives=FOLDER --work=FOLDER --minutes=8

Every run is a process of its own and as many steps as fit into ``--minutes``, so run it on an
otherwise idle machine. The photographs are those of ``benchmarks.quality.presets``, 128 pixels or
more on their shorter side. Each backbone is then scored by the users' own commands, on photographs
that it did not see, at several sizes. If interrupted, run the same command again to continue with
the first missing run. Writes ``learning_sizes.csv`` to ``--results``.
"""

import csv
import dataclasses
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import harl_tf  # noqa: F401  # isort: skip  (before TensorFlow: turns oneDNN on)
from absl import app, flags, logging

from benchmarks.harness import arguments, results
from benchmarks.quality.learning import sets
from benchmarks.quality.learning.settings import compiled
from benchmarks.quality.presets.labeled import camvid, labeled
from harl_tf.commands.pretraining import budget
from harl_tf.export import export_backbone
from harl_tf.recipes import RECIPES, Recipe
from harl_tf.recipes.networks import SmallResNet

FLAGS = flags.FLAGS
arguments.define("results")
flags.DEFINE_string("archives", None, "Folder with the data sets' tar files.", required=True)
flags.DEFINE_string("work", None, "Folder for photographs, records and runs.", required=True)
flags.DEFINE_string("recipe", "hapicl_small", "Recipe.")
flags.DEFINE_list("views", None, "Of these cases only (default: all).")
flags.DEFINE_integer("seed", 0, "Seed.")
flags.DEFINE_float("minutes", 8.0, "Length of a run.")
flags.DEFINE_string("case", None, "Internal: the case that this process runs.")

TABLE = "learning_sizes.csv"
KEYS = ("recipe", "minutes", "seed", "views")
KEPT = ("knn", "linear", "miou")
CLASSIFIED_AT = (64, 96, 128, 160, 224)
SEGMENTED_AT = (96, 224)

Change = Callable[[Recipe], Recipe]


def _views(side: int, network: SmallResNet | None = None) -> Change:
    """Views of a size, perhaps with another network than the recipe's."""
    return lambda recipe: dataclasses.replace(
        recipe, image_size=side, network=network or recipe.network
    )


_STRIDE_4 = SmallResNet(large=0)
CASES: dict[str, Change] = {
    "48": _views(48),
    "96": _views(96),
    "96 from a stem of stride 4": _views(96, _STRIDE_4),
    "160 from a stem of stride 4": _views(160),
    "224 from a stem of stride 4": _views(224),
}


def run(case: str, records: pathlib.Path, export: pathlib.Path) -> dict[str, object]:
    """Trains once and exports the backbone."""
    recipe = CASES[case](RECIPES[FLAGS.recipe])
    views = recipe.views(records, FLAGS.seed)
    per_epoch = views.steps_per_epoch
    step = budget.measure(compiled(recipe, 1000, per_epoch, FLAGS.seed), views)
    epochs = max(1, round(FLAGS.minutes * 60 / step / per_epoch))
    model = compiled(recipe, epochs * per_epoch, per_epoch, FLAGS.seed)
    start = time.monotonic()
    model.fit(views, epochs=epochs, verbose=0)
    seconds = round(time.monotonic() - start)
    export_backbone(model, export)
    return {"steps": epochs * per_epoch, "seconds": seconds}


def scores(backbone: pathlib.Path, work: pathlib.Path) -> Iterator[tuple[str, float]]:
    """What ``evaluate`` and ``evaluate-segmentation`` say of it, at several sizes."""
    archives = pathlib.Path(FLAGS.archives)
    places = labeled(archives, work)
    horses = sets.unpacked("weizmann_horses", archives, work)
    frames = camvid(sets.unpacked("camvid11", archives, work), work)
    for side in CLASSIFIED_AT:
        classes = places["train"], places["test"]
        for name, value in _table(("evaluate", backbone, *classes), side):
            yield f"{name} at {side}", value
    for side in SEGMENTED_AT:
        segment = ("evaluate-segmentation", backbone)
        pairs = horses / "images", horses / "masks"
        yield from ((f"horses at {side}", value) for _, value in _table((*segment, *pairs), side))
        split = (*frames["train"], "--test", *frames["test"], "--void", 11, "--classes", 11)
        yield from ((f"camvid at {side}", value) for _, value in _table((*segment, *split), side))


def _table(words: Sequence[object], side: int) -> list[tuple[str, float]]:
    """Those of the evaluations of a command's table that are kept."""
    path = pathlib.Path(FLAGS.work, "sizes.csv")
    line = [*words, "--image-size", side, "--csv", path]
    subprocess.run([sys.executable, "-m", "harl_tf", *map(str, line)], check=True)
    with path.open(newline="", encoding="utf-8") as file:
        values = {row["evaluation"]: float(row["value"]) for row in csv.DictReader(file)}
    return [(name, round(values[name], 4)) for name in KEPT if name in values]


def main(argv: list[str]) -> None:
    """Runs what has not been done yet, each in a process of its own."""
    logging.set_verbosity(logging.WARNING)
    work = pathlib.Path(FLAGS.work)
    if FLAGS.case is not None:
        records = labeled(pathlib.Path(FLAGS.archives), work)["records"]
        export = work / f"views_{FLAGS.minutes:g}" / FLAGS.case.replace(" ", "_")
        row = {"recipe": FLAGS.recipe, "minutes": FLAGS.minutes, "seed": FLAGS.seed}
        trained = run(FLAGS.case, records, export)
        row |= {"views": FLAGS.case, **trained, **dict(scores(export, work))}
        results.append(TABLE, row)
        return
    done = {tuple(row[key] for key in KEYS) for row in results.read(TABLE)}
    for case in FLAGS.views or CASES:
        if (FLAGS.recipe, str(FLAGS.minutes), str(FLAGS.seed), case) not in done:
            line = [sys.executable, "-m", "benchmarks.quality.learning.sizes", *argv[1:]]
            names = ("archives", "work", "results", "recipe", "seed", "minutes")
            line += [f"--{each}={getattr(FLAGS, each)}" for each in names]
            subprocess.run([*line, f"--case={case}"], check=True)


if __name__ == "__main__":
    app.run(main)
