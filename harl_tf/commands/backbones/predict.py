"""``python -m harl_tf predict``: which class every photograph of a folder is of."""

import argparse
import csv
import io
import pathlib

import tensorflow as tf

from harl_tf import files
from harl_tf.commands import photographs
from harl_tf.commands.backbones.classify import opened_classifier


def run(arguments: argparse.Namespace) -> None:
    """Reads the photographs, asks the classifier, writes a table."""
    photographs.check_file(arguments.out)
    model, classes, size = opened_classifier(pathlib.Path(arguments.classifier))
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
