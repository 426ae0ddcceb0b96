"""Pretraining with the library's recipe for small machines.

Owns the length of the run and its callbacks.
"""

import dataclasses
import pathlib

import keras

import harl_tf
from harl_tf.data import PairedViews, read_manifest
from harl_tf.pretraining import Pretraining
from harl_tf.recipes import RECIPES, Recipe
from harl_tf.recipes.networks import SmallResNet
from quickstart_parts.labeled import Labeled

_PROBES = 6
"""Approximate number of probes per run."""


def recipe_for(
    records: pathlib.Path, epochs: int, steps: int, batch_size: int, image_size: int
) -> Recipe:
    """``hapicl_small`` with half the width, for minutes instead of a night.

    Args:
        records: The records to pretrain on.
        epochs: Epochs of the run, more if they have fewer than ``steps`` steps.
        steps: Least number of steps.
        batch_size: Photographs per batch; fewer if there are few photographs.
        image_size: Side of the views in pixels.

    Raises:
        RecordsError: If the records are too few for a batch.
    """
    changed = dataclasses.replace(
        RECIPES["hapicl_small"],
        network=SmallResNet(width=16),
        epochs=epochs,
        batch_size=batch_size,
        image_size=image_size,
    )
    recipe = changed.for_photographs(read_manifest(records).records)
    steps_per_epoch = recipe.views(records).steps_per_epoch
    return dataclasses.replace(recipe, epochs=max(epochs, -(-steps // steps_per_epoch)))


def make_model(recipe: Recipe, views: PairedViews) -> Pretraining:
    """The recipe's model, ready to be trained."""
    keras.utils.set_random_seed(0)
    steps = recipe.epochs * views.steps_per_epoch
    model = recipe.build_model(steps)
    model.compile(recipe.optimizer(steps, views.steps_per_epoch, recipe.batch_size))
    return model


def pretrain(
    model: Pretraining,
    views: PairedViews,
    epochs: int,
    train: Labeled,
    test: Labeled,
    out: pathlib.Path,
) -> None:
    """Trains from the last saved epoch.

    Args:
        model: The model.
        views: What it is trained on.
        epochs: Epochs of the whole run.
        train: Labeled images for the probe.
        test: Images that the probe classifies.
        out: Folder of the checkpoints and the log.
    """
    checkpoint = harl_tf.callbacks.Checkpoint(out / "run", views)
    first = checkpoint.resume(model)
    if first:
        print(f"Continuing after epoch {first}.")
    if first >= epochs:
        return
    probe = harl_tf.callbacks.KNNProbe(
        train.batches(), test.batches(), every=max(1, epochs // _PROBES)
    )
    if first == 0:
        probe.set_model(model)
        print(f"before training: {probe.score()}")
    callbacks = [probe, harl_tf.callbacks.EpochLog(out / "log.csv"), checkpoint]
    model.fit(views, epochs=epochs, initial_epoch=first, callbacks=callbacks)
