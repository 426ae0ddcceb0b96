"""``python -m harl_tf pretrain``: from a recipe and records to a backbone.

Owns the order of the steps. All checks run before any computation.
"""

import argparse
import contextlib
import dataclasses
import functools
import math
import sys
from typing import Any, NamedTuple

import keras

from harl_tf import callbacks, data, distribution, export
from harl_tf.commands.catalog.find_recipe import find_recipe
from harl_tf.commands.catalog.show_recipes import in_words
from harl_tf.commands.pretraining import budget, plan, starting, watching
from harl_tf.commands.pretraining.plan import Plan, planned
from harl_tf.commands.refusal import CommandError
from harl_tf.precision import AUTO, dtype_policy, resolved
from harl_tf.pretraining import Pretraining
from harl_tf.recipes import Recipe
from harl_tf.recipes.over_run import flat
from harl_tf.runs import RunFolder, model_in_parts, optimizer_in_parts
from harl_tf.zoo import Start

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
DEFAULT_RECIPE = "hapicl_small"
STRATEGIES = ("one", "mirrored", "multi-worker")


def run(arguments: argparse.Namespace) -> None:
    """Trains a recipe, from the last saved epoch if there is one, and exports its backbone.

    Raises:
        CommandError: If the arguments are incompatible with each other or with the run in the
            folder.
        RecordsError: If records are missing or too few.
        ResumeError: If the folder's run had other settings.
        LockedError: If another process works on the run.
        FloatingPointError: If the loss becomes NaN or infinite.
    """
    folder = RunFolder(arguments.run_folder)
    recipe = _settled(chosen(arguments), arguments, folder)
    # Must come first: workers connect when the strategy is made.
    strategy, replicas, chief = _strategy(arguments.strategy)
    check(recipe, replicas, arguments.accumulate, own=arguments.start is None)
    views = recipe.views(arguments.records, arguments.seed)
    settings = _settings(recipe, arguments)
    change = arguments.change
    folder.check({name: settings[name] for name in settings if name not in ("epochs", *change)})
    start = starting.opened(arguments, recipe)
    noted = starting.note(start)
    starting.check_same(folder.begun(), noted, str(folder.path))
    if start is not None:
        recipe = starting.probed_at(start, recipe)
    halves = watching.halves(arguments.labeled, recipe) if arguments.labeled else None
    job = _Job(recipe, Plan((recipe.epochs,)), views, start)
    job = _planned(job, arguments, folder, strategy, halves)
    words = in_words(job.recipe, None if start is None else starting.in_words(start))
    with callbacks.locked(folder.path) if chief else contextlib.nullcontext():
        keras.utils.set_random_seed(arguments.seed)
        with dtype_policy(recipe.precision):
            with _scope(strategy):
                model = _model(job, arguments.accumulate)
            checkpoint = callbacks.Checkpoint(folder.path, views, minutes=arguments.save_minutes)
            checkpoint.resume(model, [name for name in change if name in callbacks.CHANGES])
            since = watching.labels_since(folder, change, checkpoint)
            if chief:  # what the run is changed to is written once that is possible
                notes = {
                    "parts": job.plan.ends,
                    "length": job.plan.length,
                    "start": noted,
                    watching.LABELS_SINCE: since,
                    watching.PROBES: job.plan.probes,
                }
                folder.begin({**settings, "epochs": job.recipe.epochs}, words, notes, change)
                _say_hello(job, model, replicas)
            _train(model, job, halves, folder, chief, checkpoint, since)
            if chief:
                _export(model, words, arguments.records, job.recipe, folder)
                folder.finish()
    if strategy is not None:
        distribution.wait_for_all(strategy)


def _strategy(name: str) -> tuple[Any, int, bool]:
    """The strategy, if any, its number of replicas, and whether this process writes the results."""
    if name == "one":
        return None, 1, True
    try:
        strategy = distribution.make_strategy(name)
    except ValueError as error:  # no TF_CONFIG, or none that TensorFlow understands
        raise CommandError(str(error)) from error
    with strategy.scope():
        return strategy, strategy.num_replicas_in_sync, distribution.is_chief()


class _Job(NamedTuple):
    """What is trained on what."""

    recipe: Recipe
    plan: Plan
    views: data.PairedViews
    start: Start | None


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
    if "batch_size" in given:  # then it does not follow the number of photographs
        given["batch_share"] = None
    return dataclasses.replace(recipe, **given)


def _settled(recipe: Recipe, arguments: argparse.Namespace, folder: RunFolder) -> Recipe:
    """The recipe for these photographs on this machine; a run keeps the precision it began with."""
    recipe = recipe.for_photographs(data.read_manifest(arguments.records).records)
    precision = resolved(recipe.precision)
    if recipe.precision == AUTO:
        precision = folder.begun().get("precision", precision)
    return dataclasses.replace(recipe, precision=precision)


def check(recipe: Recipe, replicas: int, accumulate: int, own: bool = True) -> None:
    """Refuses incompatible sizes.

    Args:
        recipe: The recipe to run.
        replicas: Number of replicas that share a batch.
        accumulate: Number of parts a replica's batch is split into.
        own: Whether the backbone is the recipe's own. Default: True.

    Raises:
        CommandError: If one does not divide the other.

    Example:
        >>> check(find_recipe("harl_small"), replicas=3, accumulate=1)
        Traceback (most recent call last):
        harl_tf.commands.refusal.CommandError: A batch of 128 does not divide ... such as 126.
    """
    parts, size = replicas * accumulate, recipe.batch_size
    if size % parts:
        raise CommandError(
            f"A batch of {size} does not divide into {parts} equal parts, {replicas} for replicas "
            f"times {accumulate} for accumulation; use a --batch-size that does, such as "
            f"{max(size - size % parts, parts)}."
        )
    stride = recipe.network.stride_for(recipe.image_size)
    if own and recipe.image_size % stride:
        raise CommandError(
            f"{recipe.name} needs an --image-size that is a multiple of {stride}, such as "
            f"{max(recipe.image_size // stride, 1) * stride}; {recipe.image_size} is not."
        )
    queues = [size for name, size in flat(recipe.settings).items() if name.endswith("queue_size")]
    if any(queue % size for queue in queues):
        raise CommandError(
            f"{recipe.name} keeps a queue of {queues[0]} keys, which a batch must divide; "
            f"{size} does not: use a --batch-size that does, such as {math.gcd(size, queues[0])}."
        )


def _planned(
    job: _Job,
    arguments: argparse.Namespace,
    folder: RunFolder,
    strategy: Any,
    halves: list[Any] | None,
) -> _Job:
    """The job with the epochs that the asked length comes to, the same when a run goes on."""
    asked = budget.asked(arguments)
    if arguments.strategy == "multi-worker" and "steps" not in asked and asked:
        raise CommandError(
            "Workers may measure different times for a step; use --steps or --epochs with "
            "--strategy multi-worker."
        )

    @functools.cache
    def costs() -> budget.Costs:
        with dtype_policy(job.recipe.precision), _scope(strategy):
            model = _model(job, arguments.accumulate)
            step = budget.measure(model, job.views)
        return budget.Costs(step, watching.seconds_of_probe(model, halves) if halves else 0.0)

    plan = planned(arguments, job.recipe, folder, job.views.steps_per_epoch, costs)
    if costs.cache_info().currsize:
        plan = plan._replace(probes=costs().probes(budget.seconds_in(asked)))
    else:
        plan = plan._replace(probes=int(folder.begun().get(watching.PROBES, plan.probes)))
    return job._replace(plan=plan, recipe=dataclasses.replace(job.recipe, epochs=plan.epochs))


def _scope(strategy: Any) -> contextlib.AbstractContextManager[Any]:
    return strategy.scope() if strategy else contextlib.nullcontext()


def _settings(recipe: Recipe, arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("epochs", "batch_size", "image_size", "precision")
    return {
        "recipe": recipe.name,
        **{name: getattr(recipe, name) for name in names},
        "seed": arguments.seed,
        "accumulate": arguments.accumulate,
        "records": data.read_manifest(arguments.records).digest(),
        "labeled": arguments.labeled is not None and _digest(arguments.labeled),
    }


def _digest(folder: str) -> str:
    return data.read_manifest(folder).digest()


def _say_hello(job: _Job, model: Pretraining, replicas: int) -> None:
    recipe, views, start = job.recipe, job.views, job.start
    count = data.read_manifest(views.folder).records
    peak = recipe.optimizer.rate.peak(recipe.batch_size)
    passes = f" ({recipe.passes_per_epoch} passes)" if recipe.passes_per_epoch > 1 else ""
    epochs = "1 epoch" if recipe.epochs == 1 else f"{recipe.epochs} epochs"
    devices = "1 replica" if replicas == 1 else f"{replicas} replicas"
    print(f"{recipe.name}: {recipe.title}")
    print(
        f"Here: {count} photographs at {recipe.image_size} pixels, {views.steps_per_epoch} steps "
        f"of {recipe.batch_size} an epoch{passes}, {epochs}, {devices}, learning "
        f"rate up to {peak:.4g}"
    )
    if start is not None:
        print(f"From: {starting.in_words(start)}")
        if start.assumed:
            print("Note: Say --from-values if its pixel values are others.")
    random_start = start is None and len(job.plan.ends) == 1
    in_time = job.plan.length is not None
    notes = budget.warnings(recipe, count, views.steps_per_epoch, random_start, in_time)
    if random_start:
        steps = recipe.epochs * views.steps_per_epoch
        slow = budget.slow_statistics(model.backbone, steps)
        notes += filter(None, [slow, budget.better_start(recipe, steps)])
    for sentence in notes:
        print(f"Note: {sentence}")


def _model(job: _Job, accumulate: int) -> Pretraining:
    recipe, ends, steps_per_epoch = job.recipe, job.plan.ends, job.views.steps_per_epoch
    backbone = job.start and job.start.backbone()
    try:
        model = model_in_parts(recipe, ends, steps_per_epoch, backbone)
    except ValueError as error:
        if job.start is None:
            raise
        raise CommandError(f"{recipe.name} cannot use {job.start.source}. {error}") from error
    optimizer = optimizer_in_parts(recipe, ends, steps_per_epoch)
    model.compile(optimizer, accumulation_steps=accumulate)
    return model


def _train(
    model: Pretraining,
    job: _Job,
    halves: list[Any] | None,
    folder: RunFolder,
    chief: bool,
    checkpoint: callbacks.Checkpoint,
    since: int,
) -> None:
    recipe, views = job.recipe, job.views
    begun = checkpoint.position
    first = begun.epoch
    if begun > callbacks.Position(0) and chief:
        going_on = plan.in_words(job.plan, recipe, views.steps_per_epoch, begun)
        resumed = going_on or f"Continuing after {begun.in_words()}."
        print(resumed if first < recipe.epochs else "Trained already.")
    if first >= recipe.epochs:
        return
    followers = watching.watchers(folder, views, halves, job.plan, chief, since)
    if chief:
        watching.say_before(followers, model, begun)
    in_terminal = sys.stdout.isatty()
    model.fit(
        views,
        epochs=recipe.epochs,
        initial_epoch=first,
        callbacks=[*followers, checkpoint],
        verbose=(1 if in_terminal else 2) if chief else 0,
    )


def _export(
    model: Pretraining, words: str, records: str, recipe: Recipe, folder: RunFolder
) -> None:
    card = export.Card(
        data=f"{data.read_manifest(records).records} photographs: {records}",
        metrics=folder.log.last(),
        notes="    " + words.replace("\n", "\n    ").rstrip(),
        image_size=recipe.probe_size,
    )
    export.export_backbone(model, folder.backbone, card, overwrite=True)
    for name, path in (
        ("backbone", folder.backbone),
        ("log", folder.log.path),
        ("settings", folder.recipe),
        ("checkpoints", folder.path),
    ):
        print(f"{name + ':':13}{path}")
