"""``python -m harl_tf pretrain``: from a recipe and records to a backbone.

Owns the order of the steps. All checks run before any computation.
"""

import argparse
import contextlib
import dataclasses
import sys
from typing import Any

import keras

from harl_tf import callbacks, data, distribution, export
from harl_tf.commands import budget
from harl_tf.commands.find_recipe import find_recipe
from harl_tf.commands.refusal import CommandError
from harl_tf.commands.show_recipes import in_words
from harl_tf.precision import dtype_policy
from harl_tf.pretraining import Pretraining
from harl_tf.recipes import Recipe
from harl_tf.recipes.over_run import flat
from harl_tf.runs import RunFolder

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
DEFAULT_RECIPE = "hapicl_small"
STRATEGIES = ("one", "mirrored", "multi-worker")
_PROBES = 20
"""Approximate number of kNN probes per run."""


def run(arguments: argparse.Namespace) -> None:
    """Trains a recipe, from the last saved epoch if there is one, and exports its backbone.

    Raises:
        CommandError: If the arguments are incompatible with each other or with the run in the
            folder.
        RecordsError: If records are missing or too few.
        ResumeError: If the folder's run had other settings.
        FloatingPointError: If the loss becomes NaN or infinite.
    """
    recipe = chosen(arguments)
    strategy, replicas, chief = None, 1, True
    if arguments.strategy != "one":  # must come first: workers connect when the strategy is made
        try:
            strategy = distribution.make_strategy(arguments.strategy)
        except ValueError as error:  # no TF_CONFIG, or none that TensorFlow understands
            raise CommandError(str(error)) from error
        replicas = strategy.num_replicas_in_sync
        with strategy.scope():
            chief = distribution.is_chief()
    check(recipe, replicas, arguments.accumulate)
    views = recipe.views(arguments.records, arguments.seed)
    halves = _halves(arguments.labelled, recipe) if arguments.labelled else None
    folder = RunFolder(arguments.run_folder)
    recipe = _of_length(recipe, arguments, views, folder, strategy)
    if chief:
        folder.begin(_settings(recipe, arguments), in_words(recipe))
        _say_hello(recipe, views, replicas)
    keras.utils.set_random_seed(arguments.seed)
    with dtype_policy(recipe.precision):
        with _scope(strategy):
            model = _model(recipe, views, arguments.accumulate)
        _train(model, recipe, views, halves, folder, chief)
        if chief:
            _export(model, recipe, arguments.records, folder)


def chosen(arguments: argparse.Namespace) -> Recipe:
    """The recipe with the changes from the command line.

    Raises:
        CommandError: If there is no such recipe.

    Example:
        >>> from harl_tf.commands import parse_arguments
        >>> line = ["harl_tf", "pretrain", "RECORDS", "RUN", "--batch-size=256"]
        >>> chosen(parse_arguments(line)).batch_size
        256
    """
    recipe = find_recipe(arguments.recipe)
    names = ("epochs", "batch_size", "image_size", "precision")
    changes = {name: getattr(arguments, name) for name in names}
    given = {name: value for name, value in changes.items() if value is not None}
    return dataclasses.replace(recipe, **given)


def check(recipe: Recipe, replicas: int, accumulate: int) -> None:
    """Refuses incompatible sizes.

    Args:
        recipe: The recipe to run.
        replicas: Number of replicas that share a batch.
        accumulate: Number of parts a replica's batch is split into.

    Raises:
        CommandError: If one does not divide the other.

    Example:
        >>> check(find_recipe("harl_small"), replicas=3, accumulate=1)
        Traceback (most recent call last):
        harl_tf.commands.refusal.CommandError: A batch of 64 does not divide ... such as 63.
    """
    parts, size = replicas * accumulate, recipe.batch_size
    if size % parts:
        raise CommandError(
            f"A batch of {size} does not divide into {parts} equal parts, {replicas} for replicas "
            f"times {accumulate} for accumulation; use a --batch-size that does, such as "
            f"{max(size - size % parts, parts)}."
        )
    stride = recipe.network.stride_for(recipe.image_size)
    if recipe.image_size % stride:
        raise CommandError(
            f"{recipe.name} needs an --image-size that is a multiple of {stride}, such as "
            f"{max(recipe.image_size // stride, 1) * stride}; {recipe.image_size} is not."
        )
    queues = [size for name, size in flat(recipe.settings).items() if name.endswith("queue_size")]
    if any(queue % size for queue in queues):
        raise CommandError(
            f"{recipe.name} keeps a queue of {queues[0]} keys, which a batch must divide; "
            f"{size} does not: use a power of two."
        )


def _of_length(
    recipe: Recipe,
    arguments: argparse.Namespace,
    views: data.PairedViews,
    folder: RunFolder,
    strategy: Any,
) -> Recipe:
    """The recipe with the epochs that the asked length comes to, the same when a run goes on."""
    length = budget.asked(arguments)
    begun = folder.begun()
    if length and begun.get("length") == _in_words(length):
        return dataclasses.replace(recipe, epochs=int(begun["epochs"]))
    if arguments.strategy == "multi-worker" and "steps" not in length and length:
        raise CommandError(
            "Workers may measure different times for a step; use --steps or --epochs with "
            "--strategy multi-worker."
        )

    def seconds_per_step() -> float:
        with dtype_policy(recipe.precision), _scope(strategy):
            return budget.measure(_model(recipe, views, arguments.accumulate), views)

    return budget.in_epochs(length, recipe, views.steps_per_epoch, seconds_per_step)


def _in_words(length: dict[str, float]) -> str | None:
    return ", ".join(f"{value:g} {unit}" for unit, value in length.items()) or None


def _scope(strategy: Any) -> contextlib.AbstractContextManager[Any]:
    return strategy.scope() if strategy else contextlib.nullcontext()


def _settings(recipe: Recipe, arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("epochs", "batch_size", "image_size", "precision")
    return {
        "recipe": recipe.name,
        **{name: getattr(recipe, name) for name in names},
        "length": _in_words(budget.asked(arguments)),
        "seed": arguments.seed,
        "accumulate": arguments.accumulate,
        "records": data.read_manifest(arguments.records).digest(),
        "labelled": arguments.labelled is not None and _digest(arguments.labelled),
    }


def _digest(folder: str) -> str:
    return data.read_manifest(folder).digest()


def _halves(folder: str, recipe: Recipe) -> list[Any]:
    """Labeled photographs used as neighbors, and others to classify."""
    keep = (data.in_first_half, data.in_second_half)
    halves = [data.labeled_images(folder, recipe.image_size, keep=half) for half in keep]
    if not all(half.cardinality() for half in halves):
        raise CommandError(f"{folder} has too few photographs for a kNN probe on two halves of it.")
    return halves


def _say_hello(recipe: Recipe, views: data.PairedViews, replicas: int) -> None:
    count = data.read_manifest(views.folder).records
    peak = recipe.optimizer.rate.peak(recipe.batch_size)
    devices = "1 replica" if replicas == 1 else f"{replicas} replicas"
    print(f"{recipe.name}: {recipe.title}")
    print(
        f"Here: {count} photographs at {recipe.image_size} pixels, {views.steps_per_epoch} steps "
        f"of {recipe.batch_size} an epoch, {recipe.epochs} epochs, {devices}, learning rate up to "
        f"{peak:.4g}"
    )
    for sentence in budget.warnings(recipe, count, views.steps_per_epoch):
        print(f"Note: {sentence}")


def _model(recipe: Recipe, views: data.PairedViews, accumulate: int) -> Pretraining:
    steps = recipe.epochs * views.steps_per_epoch
    model = recipe.build_model(steps)
    optimizer = recipe.optimizer(steps, views.steps_per_epoch, recipe.batch_size)
    model.compile(optimizer, accumulation_steps=accumulate)
    return model


def _train(
    model: Pretraining,
    recipe: Recipe,
    views: data.PairedViews,
    halves: list[Any] | None,
    folder: RunFolder,
    chief: bool,
) -> None:
    checkpoint = callbacks.Checkpoint(folder.path, views)
    first = checkpoint.resume(model)
    if first and chief:
        print(f"Continuing after epoch {first}." if first < recipe.epochs else "Trained already.")
    if first >= recipe.epochs:
        return
    followers: list[keras.callbacks.Callback] = []
    if halves is not None:
        probe = callbacks.KNNProbe(halves[0], halves[1], every=-(-recipe.epochs // _PROBES))
        followers.append(probe)
        if first == 0 and chief:
            probe.set_model(model)
            print(f"before training: {probe.score()}")
    if chief:
        followers.append(folder.log)
    in_terminal = sys.stdout.isatty()
    model.fit(
        views,
        epochs=recipe.epochs,
        initial_epoch=first,
        callbacks=[*followers, checkpoint],
        verbose=(1 if in_terminal else 2) if chief else 0,
    )


def _export(model: Pretraining, recipe: Recipe, records: str, folder: RunFolder) -> None:
    card = export.Card(
        data=f"{data.read_manifest(records).records} photographs: {records}",
        metrics=folder.log.last(),
        notes="    " + in_words(recipe).replace("\n", "\n    ").rstrip(),
    )
    export.export_backbone(model, folder.backbone, card, overwrite=True)
    for name, path in (
        ("backbone", folder.backbone),
        ("log", folder.log.path),
        ("settings", folder.recipe),
        ("checkpoints", folder.path),
    ):
        print(f"{name + ':':13}{path}")
