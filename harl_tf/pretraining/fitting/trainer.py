"""Keras's training and evaluation loops on streams of paired views.

Owns ``fit``, ``evaluate`` and their relatives for one batch: what they accept, where the data
starts, which callbacks watch over a run. What a step computes is a subclass's:
``harl_tf.pretraining.Pretraining``.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from harl_tf import distribution, processor
from harl_tf.data import Colors, PairedViews
from harl_tf.data.shard_files import told_of_damage
from harl_tf.layers import RandomColor
from harl_tf.pretraining.checks import check_replicas
from harl_tf.pretraining.fitting.arguments import by_name, callback_list
from harl_tf.pretraining.fitting.divergence import StopOnDivergence
from harl_tf.pretraining.fitting.executions import Executions, WholeEpochs, begin_epoch
from harl_tf.pretraining.fitting.lost_worker import told_of_lost_workers
from harl_tf.pretraining.fitting.releasing import released
from harl_tf.pretraining.fitting.stream_start import StreamStart
from harl_tf.pretraining.step_errors import plain_errors


class Trainer(keras.Model):
    """A model that Keras trains on ``PairedViews``; the base of ``Pretraining``.

    A subclass defines ``train_step`` and ``test_step``, from a batch to a dict of scalars.
    """

    _start: StreamStart  # of the last fit

    @property
    def augmentations(self) -> tuple[keras.layers.Layer, keras.layers.Layer]:
        """The color augmentations of the first and second view."""
        raise NotImplementedError(f"{type(self).__name__} does not define augmentations.")

    def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """``keras.Model.fit`` on the batches of ``harl_tf.data.PairedViews``.

        Args:
            x: A ``PairedViews``, or a data set of its batches. A ``PairedViews`` supplies its
                number of steps per epoch, starts at the first epoch, which may be that of
                ``initial_epoch`` or of ``keras.callbacks.BackupAndRestore``, and gives every
                worker its part.
            *args: Further arguments of ``keras.Model.fit``.
            **kwargs: Further arguments of ``keras.Model.fit``. ``validation_data`` may be a
                ``PairedViews``, too; every validation reads the views of its first epoch.

        Raises:
            ValueError: If the replicas cannot share a batch evenly, a batch is malformed, or an
                argument has no meaning here, such as targets.
            FloatingPointError: If the loss, a gradient or a weight becomes NaN or infinite.
            RecordsError: If a shard of the records is damaged.
            WorkerLostError: If another worker has ended.
        """
        given = by_name("fit", x, args, kwargs)
        self._check_replicas(x)
        if not distribution.has_accelerator():
            processor.warn_of_slow_training(self.compute_dtype)
        start = self._start = StreamStart(given.get("initial_epoch", 0), isinstance(x, PairedViews))
        if isinstance(x, PairedViews | tf.data.Dataset):
            given = {"shuffle": False, **given}  # Keras warns of a shuffle it could not do
        if isinstance(x, PairedViews):
            steps = given.get("steps_per_epoch") or x.steps_per_epoch  # the stream has no end
            given["steps_per_epoch"] = steps

            def place() -> tuple[int, int]:  # epochs of fit may have other steps than the stream's
                return divmod(start.epoch * steps + start.step, x.steps_per_epoch)

            given["x"] = self._stream(x, lambda: place()[0], lambda: place()[1])
        if given.get("validation_data") is not None:
            given["validation_data"] = self._to_evaluate(given["validation_data"])
        ours = [StopOnDivergence(), start, WholeEpochs()]
        given["callbacks"] = [*ours, *callback_list(given.get("callbacks"))]
        held = released(given["callbacks"])
        with told_of_lost_workers(), told_of_damage(), plain_errors(), held:
            return super().fit(**given)

    def begin_within_epoch(self, step: int, means: Mapping[str, float]) -> None:
        """Begins the epoch after steps that were done earlier; for a callback's ``on_epoch_begin``.

        ``fit`` counts these steps and reports their metrics, but does not run them again, and the
        stream of views starts after them.

        Args:
            step: Number of steps done of the epoch that begins, the first one of this fit.
            means: The metrics that ``fit`` has reported after them.

        Raises:
            ValueError: If ``fit`` was given another data set than a ``PairedViews``, which would
                start at the beginning of the epoch.
        """
        if not self._start.of_views or not isinstance(self.train_function, Executions):
            raise ValueError(
                f"Expected PairedViews in fit, to go on after {step} steps of an epoch. Received: "
                "another data set, which cannot start there. Call model.fit(views, ...) with the "
                "views themselves."
            )
        self._start.step = step
        self.train_function.skip(step, means)
        for metric in self.metrics:
            if metric.name in means:
                distribution.set_mean(self.distribute_strategy, metric, means[metric.name], step)

    def evaluate(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """``keras.Model.evaluate``: the loss terms, without updating the weights.

        Args:
            x: A ``PairedViews``, of which the first epoch is read, or a data set of its batches.
            *args: Further arguments of ``keras.Model.evaluate``.
            **kwargs: Further arguments of ``keras.Model.evaluate``.

        Raises:
            ValueError: As for ``fit``.
        """
        given = by_name("evaluate", x, args, kwargs)
        given["x"] = self._to_evaluate(x)
        begin_epoch(self.make_test_function(), given.get("steps") or _length(given["x"]))
        with told_of_damage(), plain_errors():
            return super().evaluate(**given)

    def train_on_batch(self, x: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """``keras.Model.train_on_batch``: one update on one batch of ``PairedViews``."""
        given = by_name("train_on_batch", x, args, kwargs)
        return self._on_batch(self.make_train_function(), given)

    def test_on_batch(self, x: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """``keras.Model.test_on_batch``: the loss terms of one batch, without an update."""
        given = by_name("test_on_batch", x, args, kwargs)
        return self._on_batch(self.make_test_function(), given)

    def make_train_function(self, force: bool = False) -> Any:
        """Makes the function that ``fit`` calls on an iterator."""
        if force or getattr(self, "train_function", None) is None:
            self.train_function = self._executions(self.train_step)
        return self.train_function

    def make_test_function(self, force: bool = False) -> Any:
        """The same for ``evaluate``."""
        if force or getattr(self, "test_function", None) is None:
            self.test_function = self._executions(self.test_step)
        return self.test_function

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        # Keras's own version pulls a batch to infer shapes, which fails on several workers and
        # restarts the stream. All layers are already built; only the optimizer is left.
        if self.optimizer is not None and not self.optimizer.built:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)

    def _executions(self, one: Callable[..., Any]) -> Executions:
        on_all = distribution.on_every_replica(self, one)
        return Executions(on_all, int(self.steps_per_execution), self.run_eagerly)

    def _on_batch(self, function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
        """Runs a step on one batch and returns its logs as Keras would."""
        self._maybe_symbolic_build()
        self.reset_metrics()
        once = tf.data.Dataset.from_tensors(dict(given["x"]))
        self._check_replicas(once)
        begin_epoch(function, 1)
        batches = distribution.iterate(self.distribute_strategy, once)
        with plain_errors():
            logs = {name: float(value) for name, value in function(batches).items()}
        return logs if given.get("return_dict") else list(logs.values())

    def _check_replicas(self, x: Any) -> None:
        strategy = self.distribute_strategy
        workers = distribution.worker_count(strategy)
        check_replicas(x, strategy.num_replicas_in_sync, workers)

    def _stream(
        self, views: PairedViews, epoch: Any, step: Any = 0, steps: int | None = None
    ) -> Any:
        colors = self._colors_on_host()
        stream = functools.partial(views.from_epoch, epoch, step=step, colors=colors)
        return distribution.distribute(self.distribute_strategy, stream, steps)

    def _to_evaluate(self, x: Any) -> Any:
        """The data for ``evaluate``: the same views every time."""
        self._check_replicas(x)
        return self._stream(x, 0, steps=x.steps_per_epoch) if isinstance(x, PairedViews) else x

    def _colors_on_host(self) -> Colors | None:
        """The color augmentations, if the stream should apply them with its kernel for CPUs.

        On other devices they are part of the step, where they take next to no time.
        """
        ours = all(type(each) is RandomColor for each in self.augmentations)
        return self.augmentations if ours and not distribution.has_accelerator() else None


def _length(x: Any) -> int | None:
    """Number of batches, if the data set knows it."""
    known = int(x.cardinality()) if isinstance(x, tf.data.Dataset) else 0
    return known if known > 0 else None
