"""Measures the backbones of ``pretrained/`` in every evaluation, beside random initialization.

    python -m benchmarks.quality.presets.measure --archives=FOLDER --work=FOLDER

``make`` has trained them; ``--work`` is the folder that it was given, where the photographs are
that they did not see. Every figure is that of a user's own command, which is printed. An
interrupted run continues where it was. Writes ``preset_evaluations.csv`` to ``--results``.
"""

import csv
import json
import os
import pathlib
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence

from absl import app, flags

from benchmarks.harness import arguments, results
from benchmarks.quality.learning import sets
from benchmarks.quality.presets.labeled import camvid, labeled
from harl_tf.evaluation import EVALUATORS
from harl_tf.zoo import list_presets

FLAGS = flags.FLAGS
arguments.define("results")
flags.DEFINE_string("archives", None, "Folder with the data sets' tar files.", required=True)
flags.DEFINE_string("work", None, "Folder for photographs and tables.", required=True)
flags.DEFINE_list("sets", None, "Of these sets only (default: all).")
flags.DEFINE_integer("steps", 200, "Length of fine-tuning a classifier or DeepLabV3.")
flags.DEFINE_integer("detection_steps", 400, "Length of fine-tuning RetinaNet.")

COLUMNS = ("set", "evaluation", "value", "standard_error", "images", "labels", "chance")
BOXES = ("raccoon", "kangaroo")


def commands(archives: pathlib.Path, work: pathlib.Path) -> dict[str, list[object]]:
    """The words after the backbone's name of what is run for each, by a name for the set."""
    places = labeled(archives, work)
    unpacked = {
        name: sets.unpacked(name, archives, work)
        for name in ("tiny_imagenet10", "weizmann_horses", "camvid11", *BOXES)
    }
    horses, frames = unpacked["weizmann_horses"], camvid(unpacked["camvid11"], work)
    boxes = _boxes([unpacked[name] for name in BOXES], work)
    tuned = ("--image-size", 96, "--fine-tune", FLAGS.steps)
    every = ("--with", ",".join(EVALUATORS))
    return {
        "caltech101": ["evaluate", places["train"], places["test"], *every, *tuned],
        "tiny_imagenet10": ["evaluate", unpacked["tiny_imagenet10"] / "images", "--image-size", 64],
        "weizmann_horses": ["evaluate-segmentation", horses / "images", horses / "masks", *tuned],
        "camvid11": [
            *("evaluate-segmentation", *frames["train"], "--test", *frames["test"]),
            *("--void", 11, "--classes", 11, *tuned),
        ],
        "raccoon_kangaroo": [
            *("evaluate-detection", boxes / "images", boxes / "coco.json"),
            *("--image-size", 160, "--steps", FLAGS.detection_steps),
        ],
    }


def measured(preset: str, name: str, words: Sequence[object], random: bool) -> pathlib.Path:
    """The table of a command, made if it is not there."""
    length = f"{FLAGS.steps}_{FLAGS.detection_steps}"
    table = pathlib.Path(FLAGS.work, f"evaluations_{length}", f"{preset}_{name}.csv")
    if not table.exists():
        table.parent.mkdir(parents=True, exist_ok=True)
        command, *rest = map(str, words)
        also = ("--random",) if random else ()
        line = ["-m", "harl_tf", command, preset, *rest, *also, "--csv", str(table)]
        print("python", shlex.join(line), flush=True)
        subprocess.run([sys.executable, *line], check=True)
    return table


def rows() -> Iterator[dict[str, str]]:
    """Set by set, those of one preset after another; random initialization with the first."""
    presets = [preset.name for preset in list_presets()]
    lines = commands(pathlib.Path(FLAGS.archives), pathlib.Path(FLAGS.work))
    for name, words in lines.items():
        if FLAGS.sets is not None and name not in FLAGS.sets:
            continue
        for preset in presets:
            table = measured(preset, name, words, random=preset == presets[0])
            with table.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    kept = {column: row.get(column, "") for column in COLUMNS}
                    yield {"backbone": row["backbone"], **kept, "set": name}


def _boxes(folders: Sequence[pathlib.Path], work: pathlib.Path) -> pathlib.Path:
    """A folder of photographs, and their boxes in COCO's format."""
    place = work / "boxes"
    (place / "images").mkdir(parents=True, exist_ok=True)
    images: dict[str, dict[str, object]] = {}
    boxes = []
    for category, folder in enumerate(folders):
        with (folder / "boxes.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                name = f"{folder.name}_{pathlib.Path(row['file']).name}"
                if not (place / "images" / name).exists():
                    os.link(folder / row["file"], place / "images" / name)
                sides = {side: int(row[side]) for side in ("width", "height")}
                image = images.setdefault(name, {"id": len(images), "file_name": name, **sides})
                left, top, right, bottom = (
                    int(row[side]) for side in ("xmin", "ymin", "xmax", "ymax")
                )
                box = [left, top, right - left, bottom - top]
                boxes.append({"image_id": image["id"], "category_id": category, "bbox": box})
    names = [{"id": index, "name": folder.name} for index, folder in enumerate(folders)]
    content = {"images": list(images.values()), "annotations": boxes, "categories": names}
    (place / "coco.json").write_text(json.dumps(content), encoding="utf-8")
    return place


def main(_: list[str]) -> None:
    """Measures every preset on every set."""
    results.write("preset_evaluations.csv", rows())


if __name__ == "__main__":
    app.run(main)
