"""``python -m harl_tf classify``: class folders and a backbone become a classifier.

Owns the folder that is written. The classifier is linear on frozen features, in closed form: made
in the time of one look at every photograph, with nothing to tune.
"""

import argparse
import json
import pathlib

import keras
import numpy as np

from harl_tf import evaluation, files
from harl_tf.commands import photographs
from harl_tf.commands.opening import backbone_of, opened, size_for
from harl_tf.commands.refusal import CommandError
from harl_tf.evaluation.classes.linear import default_sharpness, hold_out, sharpness
from harl_tf.export.artifact import first_line
from harl_tf.export.native import plain

MODEL, FACTS = "classifier.keras", "classifier.json"


def run(arguments: argparse.Namespace) -> None:
    """Makes the classifier, says how good it is on photographs left out for that, and writes it."""
    out = pathlib.Path(arguments.out)
    _check_free(out)
    start = opened(arguments.backbone, arguments.from_values)
    size = size_for(start, arguments.image_size)
    backbone = backbone_of(start)
    seen = photographs.look(arguments.folder, size, [photographs.mean_features(backbone)])
    photographs.check_classes(seen, arguments.folder)
    (vectors,) = seen.answers
    score, factor = judged(vectors, seen.labels)
    if score is not None:
        print(f"{score}, a fifth, of a classifier made from the others; this one is made from all")
    classifier = evaluation.linear_classifier(vectors, seen.labels)
    model = with_head(backbone, classifier, factor, size)
    facts = {
        "classes": [seen.classes[label] for label in classifier.classes],
        "image_size": size,
        "photographs": len(vectors),
        "measured": None if score is None else str(score),
    }
    _check_free(out)  # minutes have passed
    with files.whole_folder(out) as partial:
        model.save(partial / MODEL)
        files.write_text(partial / FACTS, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    print(f"{out / MODEL}: keras.saving.load_model, classes in {FACTS}")
    print(f"next: python -m harl_tf predict PHOTOS {out} predictions.csv")


def opened_classifier(folder: pathlib.Path) -> tuple[keras.Model, tuple[str, ...], int]:
    """A classifier that this command wrote, its classes, and the side of the images for it.

    Raises:
        CommandError: If it is none, or not a whole one.

    Example:
        >>> opened_classifier(pathlib.Path("no/such/folder"))
        Traceback (most recent call last):
        harl_tf.commands.refusal.CommandError: no/such/folder is no classifier that ...
    """
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        model = keras.saving.load_model(folder / MODEL)
        classes, size = tuple(facts["classes"]), int(facts["image_size"])
        if len(classes) != model.output_shape[-1]:
            raise ValueError(f"{FACTS} names {len(classes)} classes.")
    except Exception as error:  # each kind of damage has its own
        raise CommandError(
            f"{folder} is no classifier that `python -m harl_tf classify` wrote, or not a "
            f"whole one: {first_line(error)}"
        ) from error
    return model, classes, size


def _check_free(out: pathlib.Path) -> None:
    """Refuses a folder with anything in it but a classifier, which is replaced."""
    path = files.foreign(out, (MODEL, FACTS))
    if path is not None:
        raise CommandError(f"{path} is no part of a classifier, so {out} is left alone.")


def judged(vectors: np.ndarray, labels: np.ndarray) -> tuple[evaluation.Score | None, float]:
    """How good a classifier of four fifths is on the others, and how sharp its scores are.

    Example:
        >>> score, factor = judged(np.eye(2)[[0, 1] * 10], np.array([0, 1] * 10))
        >>> print(score)
        linear 1.00 ± .17 of 4 images, chance .50
    """
    held_out = hold_out(labels)
    if not held_out.any():  # one photograph a class
        return None, default_sharpness(len(np.unique(labels)))
    data = vectors[~held_out], labels[~held_out], vectors[held_out], labels[held_out]
    classifier = evaluation.linear_classifier(*data[:2])
    columns = np.searchsorted(classifier.classes, data[3])
    return evaluation.linear_score(*data), sharpness(classifier.scores(data[2]), columns)


def with_head(
    backbone: keras.Model, classifier: evaluation.LinearClassifier, factor: float, size: int
) -> keras.Model:
    """A model of plain Keras from images to probabilities of the classes.

    Args:
        backbone: The backbone.
        classifier: The classifier of its mean features.
        factor: What turns its scores into logits.
        size: Side of the images in pixels.

    Example:
        >>> backbone = harl_tf.backbones.small_resnet(10, width=8)
        >>> vectors = photographs.mean_features(backbone)(np.zeros((2, 32, 32, 3), np.uint8))
        >>> classifier = harl_tf.evaluation.linear_classifier(vectors, np.array([0, 1]))
        >>> with_head(backbone, classifier, 1.0, 32).output.shape
        (None, 2)
    """
    images = keras.Input((size, size, 3), name="images")
    features = list(plain(backbone)(images).values())[-1]
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(features)
    head = keras.layers.Dense(len(classifier.classes), activation="softmax", name="classes")
    model = keras.Model(images, head(pooled), name="classifier")
    head.set_weights([factor * classifier.weights, factor * classifier.bias])
    return model
