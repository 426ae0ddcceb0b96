"""``python -m harl_tf predict``: which class every photograph of a folder is of."""

import argparse
import csv
import io
import json
import pathlib

import keras
import tensorflow as tf

from harl_tf import files
from harl_tf.commands import photographs
from harl_tf.commands.backbones.classify import FACTS, MODEL
from harl_tf.commands.refusal import CommandError
from harl_tf.export.artifact import first_line


def run(arguments: argparse.Namespace) -> None:
    """Reads the photographs, asks the classifier, writes a table."""
    photographs.check_file(arguments.out)
    classifier = pathlib.Path(arguments.classifier)
    try:
        facts = json.loads((classifier / FACTS).read_text(encoding="utf-8"))
        model = keras.saving.load_model(classifier / MODEL)
        classes, size = facts["classes"], facts["image_size"]
        if len(classes) != model.output_shape[-1]:
            raise ValueError(f"{FACTS} names {len(classes)} classes.")
    except Exception as error:  # each kind of damage has its own
        raise CommandError(
            f"{classifier} is no classifier that `python -m harl_tf classify` wrote, or not a "
            f"whole one: {first_line(error)}"
        ) from error
    ask = tf.function(model, reduce_retracing=True)
    seen = photographs.look(
        arguments.folder, size, [lambda images: ask(tf.cast(images, tf.float32), training=False)]
    )
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["file", "class", "probability", *classes])
    for name, row in zip(seen.names, seen.answers[0], strict=True):
        best = int(row.argmax())
        writer.writerow([name, classes[best], f"{row[best]:.4f}", *(f"{each:.4f}" for each in row)])
    for name in seen.left_out:
        writer.writerow([name, "", "", *("" for _ in classes)])
    files.write_text(arguments.out, table.getvalue())
    print(f"{arguments.out}: {len(seen.names)} photographs, {len(classes)} classes")
