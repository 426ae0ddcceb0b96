"""The whole pipeline in one command: photographs → masks → pretraining → SavedModel → fine-tuning.

    python examples/quickstart.py

Without arguments it uses the photographs that come with scikit-image, so nothing is downloaded. It
asks how many labels pretraining saves: a classifier is fine-tuned on 5, 10, 20 and all labeled
images a class, from the pretrained backbone and from random initialization. The task is to tell
from which of 16 photographs a small gray tile is. Tiles for pretraining and fine-tuning are from
the left part of each photograph, those that are classified from the right part. That is no more
than a demonstration of a few minutes: it says nothing about other photographs, and its standard
errors leave out that another pretraining would be another backbone.

Use ``--photographs`` and ``--labeled`` (one subfolder per class) for your own. If interrupted, run
the same command again to continue from the last saved epoch.
"""

import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
from absl import app, flags, logging
from quickstart_parts import label_efficiency, labeled, pictures, pretraining, tiles

import mask_generation
from harl_tf.data import read_manifest
from harl_tf.precision import dtype_policy
from harl_tf.recipes import Recipe
from harl_tf.recipes.networks import SmallResNet
from harl_tf.reports import write_page

FLAGS = flags.FLAGS
flags.DEFINE_string(
    "photographs",
    None,
    "Folder of unlabeled photographs to pretrain on. Default: with --labeled, the half of them "
    "that is learned from, without its labels; else scikit-image's.",
)
flags.DEFINE_string(
    "labeled", None, "Folder with one subfolder of photographs per class, at least 10 in each."
)
flags.DEFINE_alias("labelled", "labeled")
flags.DEFINE_string("out", "quickstart_output", "Folder for all outputs.")
flags.DEFINE_integer("epochs", 1, "Least number of pretraining epochs.", 1)
flags.DEFINE_integer("steps", 900, "Least number of pretraining steps.", 1)
flags.DEFINE_integer("batch_size", 64, "Photographs per batch; fewer if they are few.", 2)
flags.DEFINE_integer("image_size", 48, "Side of the views in pixels, a multiple of 16.", 32)
flags.register_validator(
    "image_size",
    lambda side: side % SmallResNet().stride_for(side) == 0,
    "The network needs a multiple of 16, from 160 on of 32.",
)
flags.DEFINE_integer(
    "finetuning_steps",
    150,
    "Steps of fine-tuning on 5 images a class, at most as many as pretraining has; on n images "
    "√(n / 5) times as many. Twice as many improve both classifiers of the bundled task by .02 on "
    "all images, and their difference by nothing.",
    lower_bound=1,
)
flags.DEFINE_float(
    "finetuning_rate",
    4e-3,
    "Learning rate of all fine-tuning: of 0.0003, 0.001, 0.002, 0.004 and 0.008 the best one for "
    "random initialization.",
    lower_bound=0,
)
flags.DEFINE_integer("draws", 3, "Draws of the labeled images, for the standard errors.", 2)

_TILES = (
    "From which of 16 photographs is a gray tile of 64 pixels? The labeled tiles are from the left "
    "part of each photograph, the held-out ones from the right part, and no pixel is in both. {} "
    "This is a demonstration that needs no download, and no benchmark: sixteen photographs, "
    "overlapping tiles, mostly textures, and one pretraining; repeating it changes the differences "
    "by about as much as they are."
)
_UNLABELED_TILES = (
    "Pretraining saw the tiles of the left part without labels, each by itself: neither from which "
    "photograph it is nor the right part."
)
_HALVES = "Half of the images of each class are learned from, the other half is held out."
_TABLE = (
    "Accuracy on held-out images, mean ± standard error over draws of the labeled images; each "
    "draw is a point. Both classifiers are the same network, fine-tuned on the same images with "
    "the same number of steps, crops and learning rate."
)


def check_sources(out: pathlib.Path) -> None:
    """Records what the output is made from, and refuses to continue with other photographs."""
    sources = {
        name: str(pathlib.Path(folder).resolve()) if folder else "tiles of scikit-image"
        for name, folder in (("photographs", FLAGS.photographs), ("labeled", FLAGS.labeled))
    }
    noted = out / "sources.json"
    if noted.exists() and json.loads(noted.read_text()) != sources:
        raise FileExistsError(
            f"{out} was made from other photographs ({noted}). Choose another folder with --out."
        )
    out.mkdir(parents=True, exist_ok=True)
    noted.write_text(json.dumps(sources))


def make_split(out: pathlib.Path) -> labeled.Split:
    """The labeled pictures, the user's or tiles of the bundled photographs."""
    if FLAGS.labeled:
        return labeled.split_in_halves(FLAGS.labeled)
    tiles.write_photographs(out / "photographs")
    tiles.write_tiles(out / "photographs", out / "tiles")
    return labeled.split_of_two(out / "tiles" / "train", out / "tiles" / "test")


def make_records(out: pathlib.Path, split: labeled.Split) -> pathlib.Path:
    """Turns the photographs to pretrain on into records with masks, unless already done."""
    records = out / "records"
    if records.exists():
        return records
    source = FLAGS.photographs
    if source is None:  # a list without labels
        source = out / "unlabeled.txt"
        lines = [str(pathlib.Path(path).resolve()) for path, _ in split.train]
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    # A tile of a texture hardly has a foreground; its mask is kept nevertheless.
    flagged = "leave_out" if FLAGS.photographs or FLAGS.labeled else "keep"
    mask_generation.convert(source, records, longest_side=400, flagged=flagged)
    return records


def whole_photographs(out: pathlib.Path, records: pathlib.Path) -> tuple[pathlib.Path, int]:
    """Records to show, and the longest side to show them to the backbone with."""
    if FLAGS.photographs or FLAGS.labeled:
        return records, 256
    shown = out / "whole_photographs"
    if not shown.exists():
        mask_generation.convert(out / "photographs", shown, flagged="keep", progress=False)
    return shown, tiles.LONGEST_SIDE


def compare(
    backbone: keras.Model,
    before: keras.Model,
    split: labeled.Split,
    train: labeled.Labeled,
    test: labeled.Labeled,
    recipe: Recipe,
    steps: int,
) -> tuple[list[label_efficiency.Row], str, keras.Model]:
    """Fine-tunes from both. Returns the table, what it says, and the last classifier."""
    tuning = harl_tf.evaluation.FineTuning(
        backbone, len(split.classes), recipe.image_size, FLAGS.finetuning_rate
    )
    print("accuracy on held-out images, mean ± standard error over "
          f"{FLAGS.draws} draws of the labeled images")  # fmt: skip
    print(line(label_efficiency.HEADER))
    rows = label_efficiency.measure(
        tuning,
        backbone.get_weights(),
        before.get_weights(),
        train,
        test,
        steps,
        FLAGS.draws,
        say=lambda row: print(line(row.cells()), flush=True),
    )
    text = label_efficiency.verdict(rows)
    if steps < FLAGS.finetuning_steps:
        text = "This run is too short to say more than that everything works."
    print(text)
    return rows, f"{text} {_TABLE}", tuning.classifier


def task_in_words() -> str:
    """What is classified, and what pretraining saw of it."""
    if FLAGS.labeled:
        return _HALVES
    return _TILES.format("" if FLAGS.photographs else _UNLABELED_TILES).replace("  ", " ")


def line(cells: tuple[str, ...]) -> str:
    """A row of the table."""
    widths = (24, 16, 22, 16)
    return "".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def run() -> None:
    """Runs all steps."""
    out = pathlib.Path(FLAGS.out)
    print("1/4 masks and records")
    check_sources(out)
    split = make_split(out)
    records = make_records(out, split)
    recipe = pretraining.recipe_for(
        records, FLAGS.epochs, FLAGS.steps, FLAGS.batch_size, FLAGS.image_size
    )
    train, test = (labeled.read(files, recipe.probe_size) for files in (split.train, split.test))

    with dtype_policy(recipe.precision):
        print("2/4 pretraining")
        views = recipe.views(records)
        model = pretraining.make_model(recipe, views)
        before = keras.models.clone_model(model.backbone)
        before.set_weights(model.backbone.get_weights())
        pretraining.pretrain(model, views, recipe.epochs, train, test, out)

        print("3/4 export and fine-tuning")
        count = read_manifest(records).records
        data = FLAGS.photographs or FLAGS.labeled or f"{count} tiles of scikit-image's photographs"
        saved = harl_tf.export_backbone(
            model, out / "backbone", harl_tf.export.Card(data=data), overwrite=True
        )
        steps = min(FLAGS.finetuning_steps, recipe.epochs * views.steps_per_epoch)
        backbone = harl_tf.load_backbone(saved)
        rows, text, classifier = compare(backbone, before, split, train, test, recipe, steps)
        harl_tf.export.export_keras(classifier, out / "classifier.keras")

        print("4/4 pictures")
        sections = [
            pictures.draw_table(rows, text, test.chance),
            pictures.draw_task(split.classes, train, test, task_in_words()),
            pictures.draw_photographs(before, model.backbone, *whole_photographs(out, records)),
            pictures.draw_views(model, views),
            pictures.draw_curves(out / "log.csv"),
        ]
    page = write_page(out / "pictures.html", "harl_tf quickstart", sections)
    print(f"\nSavedModel:        {saved}")
    print(f"fine-tuned model:  {out / 'classifier.keras'}")
    print(f"page of pictures:  {page}")


def main(_: list[str]) -> int:
    """Runs, and reports errors that a user can cause in one line."""
    logging.set_verbosity(logging.WARNING)
    known = (
        mask_generation.ConversionError,
        harl_tf.data.RecordsError,
        harl_tf.callbacks.ResumeError,
        harl_tf.export.ExportError,
        OSError,
    )
    try:
        run()
    except known as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command to continue after the last saved epoch.")
        return 130
    return 0


if __name__ == "__main__":
    app.run(main)
