"""One of several workers as a process of its own; TF_CONFIG says which one. Folder, records, jobs.

Owns what the tests of replicas and of workers train, and how runs are compared. A worker leaves
what it found in ``FOLDER/worker_<index>``: the variables of a run as ``<name>.npz``, and its
history, or the text of an error, as ``<name>.json``.
"""

import json
import os
import pathlib
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

import harl_tf
from tests.networks import tiny_methods, tiny_pyramid

Variables = list[np.ndarray]


class Run(NamedTuple):
    """A model after training, and what ``fit`` reported of each epoch."""

    model: keras.Model
    history: dict[str, list[float]]

    @property
    def variables(self) -> Variables:
        return [variable.numpy() for variable in self.model.variables]


def views_of(records: str | pathlib.Path, batch_size: int = 4) -> harl_tf.data.PairedViews:
    return harl_tf.data.PairedViews(records, batch_size=batch_size, image_size=32)


def build(name: str, **compilation: Any) -> keras.Model:
    """A method of ``tiny_methods`` with the same first weights in every process, compiled."""
    keras.utils.set_random_seed(0)
    model = tiny_methods()[name]()
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), **compilation)
    return model


def train(
    make: Callable[[], keras.Model],
    views: harl_tf.data.PairedViews,
    strategy: tf.distribute.Strategy | None = None,
    **settings: Any,
) -> Run:
    """Makes a model, on the replicas of a strategy or on one device, and trains it."""
    with (strategy or tf.distribute.get_strategy()).scope():
        model = make()
    return Run(model, model.fit(views, **{"verbose": 0, **settings}).history)


def largest_difference(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> float:
    pairs = zip(first, second, strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs if a.size)


def largest_disagreement(run: Run) -> float:
    """Between the copies that the replicas of one process hold of the same variable."""
    strategy = run.model.distribute_strategy
    copies = [strategy.experimental_local_results(each.value) for each in run.model.variables]
    return max(
        largest_difference([mine.numpy() for mine in first], [other.numpy() for other in others])
        for first in [[each[0] for each in copies]]
        for others in zip(*[each[1:] for each in copies], strict=True)
    )


class Worker(NamedTuple):
    """What a job has to work with: the strategy, the worker's number, and where to write."""

    strategy: tf.distribute.Strategy
    index: int
    folder: pathlib.Path

    def write(self, name: str, run: Run) -> None:
        np.savez(self.folder / f"{name}.npz", *run.variables)
        self.note(name, run.history)

    def note(self, name: str, text: Any) -> None:
        (self.folder / f"{name}.json").write_text(json.dumps(text), encoding="utf-8")


PROOFS: dict[str, tuple[int, int, float]] = {
    # In float32 rounding alone drives trajectories apart, so a single step is compared.
    "float64": (4, 3, 1e-8),
    "float32": (8, 1, 1e-5),
}
"""Batch size, epochs and largest difference allowed, by dtype policy."""


def method(worker: Worker, records: str, name: str) -> None:
    for policy, (batch_size, epochs, _) in PROOFS.items():
        keras.config.set_dtype_policy(policy)
        views = views_of(records, batch_size)
        run = train(lambda: build(name), views, worker.strategy, epochs=epochs)
        worker.write(f"{name}_{policy}", run)


def stopped(worker: Worker, records: str) -> None:
    """Two epochs of three with both callbacks; then a new model goes on where they ended."""
    keras.config.set_dtype_policy("float64")
    views = views_of(records)

    def make() -> keras.Model:
        return build("moco_v2")

    # A worker that is not to write has a folder of its own here, which must not come to be.
    shared = worker.folder.parent / "checkpoints"
    own = shared if worker.index == 0 else worker.folder / "not_written"
    checkpoint = harl_tf.callbacks.Checkpoint(own, views)
    probe = harl_tf.callbacks.KNNProbe(labeled(4), labeled(2), neighbors=1)
    run = train(make, views, worker.strategy, epochs=2, callbacks=[probe, checkpoint])
    worker.write("stopped", run)
    harl_tf.distribution.wait_for_all(worker.strategy)
    with worker.strategy.scope():
        model = make()
    first = harl_tf.callbacks.Checkpoint(shared, views).resume(model)
    history = model.fit(views, epochs=3, initial_epoch=first, verbose=0).history
    worker.write("continued", Run(model, history))
    worker.note("first", first)


def evaluated(worker: Worker, records: str) -> None:
    """The loss of one epoch of views, in ``evaluate`` and as validation, and what is refused."""
    keras.config.set_dtype_policy("float64")
    views = views_of(records)
    with worker.strategy.scope():
        model = build("simclr")
    worker.note("evaluated", model.evaluate(views, verbose=0, return_dict=True))
    history = model.fit(views, epochs=2, validation_data=views, verbose=0).history
    worker.note("validated", history["val_loss"])
    refusals = []
    for method in (model.fit, model.evaluate):
        try:
            method(views.from_epoch(0).take(1), verbose=0)
        except ValueError as error:
            refusals.append(str(error))
    worker.note("refused", refusals)


def labeled(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    images = np.random.default_rng(count).integers(0, 256, (count, 32, 32, 3)).astype("uint8")
    return [(images, np.arange(count) % 2)]


class StockFit(harl_tf.SimCLR):
    """A method without what ``Pretraining`` puts in the place of Keras' own functions."""

    make_train_function = keras.Model.make_train_function
    _maybe_symbolic_build = keras.Model._maybe_symbolic_build


class StockFunction(harl_tf.SimCLR):
    """Likewise, but for the search for shapes."""

    make_train_function = keras.Model.make_train_function


def stock(worker: Worker, records: str) -> None:
    """Keras' own ``fit``; notes how it ends."""
    for kind in (StockFit, StockFunction):

        def make(kind: type[harl_tf.SimCLR] = kind) -> keras.Model:
            model = kind(tiny_pyramid(), projection_units=16, hidden_units=32)
            model.compile(keras.optimizers.SGD(0.05))
            return model

        ending = "trained"
        try:
            train(make, views_of(records), worker.strategy, steps_per_epoch=1)
        except Exception as error:
            ending = f"{type(error).__name__}: {error}"[:200]
        worker.note(kind.__name__, ending)


JOBS: dict[str, Callable[..., None]] = {
    "stopped": stopped,
    "stock": stock,
    "evaluated": evaluated,
}


def main(folder: str, records: str, names: Iterable[str]) -> None:
    """Does the jobs of these names; any other name is that of a method to train."""
    # Before anything else of TensorFlow runs.
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    own = pathlib.Path(folder) / f"worker_{index}"
    own.mkdir()
    worker = Worker(strategy, index, own)
    for name in names:
        if name in JOBS:
            JOBS[name](worker, records)
        else:
            method(worker, records, name)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
