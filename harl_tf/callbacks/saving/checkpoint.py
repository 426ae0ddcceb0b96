"""Checkpoints that survive a killed run, and resuming from them.

Owns when a state is saved and what is restored; ``saved`` owns the layout on disk.
"""

import contextlib
import pathlib
import sys
import time
import warnings
from collections.abc import Collection
from typing import Any

import keras

from harl_tf import distribution
from harl_tf.callbacks.saving.change import check_changes
from harl_tf.callbacks.saving.restoring import ResumeError, restored, seeds_of
from harl_tf.callbacks.saving.saved import (
    WEIGHTS,
    Position,
    Saved,
    locked,
    remove_unfinished,
    saved_in,
    whole_state,
)
from harl_tf.callbacks.saving.settings import settings_of
from harl_tf.callbacks.saving.termination import Termination
from harl_tf.data import PairedViews
from harl_tf.pretraining.finite import first_not_finite
from harl_tf.pretraining.fitting.releasing import Releasing


class Checkpoint(Releasing):
    """Saves the run at the end of epochs and within long ones; ``resume`` restores the last state.

    SIGTERM, by which machines are taken away, saves the run and then ends the process. With
    several workers, the first one writes, to a folder that all of them can read. A model with
    NaN or infinite weights is not saved. A folder with checkpoints is only written to after
    ``resume``, and by one process at a time, so that two runs cannot mix in it.

    With the same settings, the resumed run has the same weights as one that was never stopped (bit
    for bit, on one machine with ``tf.config.experimental.enable_op_determinism()``).

    A finished run goes on with more epochs if every schedule that is to change, of the learning
    rate or in the method, becomes a ``harl_tf.schedules.InParts`` that begins with the old one:
    weights, optimizer and draws are then those of a run that had both parts from its start.

    Args:
        folder: Folder of the run; created if it does not exist.
        views: The stream of the run; to resume, its settings must be the same.
        every: Save every this many epochs; the last epoch is always saved. Default: 1.
        keep: Number of most recent checkpoints to keep. Default: 2.
        minutes: Save also whenever this many minutes have passed since the last save, at the end
            of a step; None for the end of epochs only. Default: 15.

    Example:
        ::

            checkpoint = harl_tf.callbacks.Checkpoint("runs/a", views)
            first = checkpoint.resume(model)  # 0 if there is nothing to resume
            model.fit(views, epochs=100, initial_epoch=first, callbacks=[checkpoint])
    """

    def __init__(
        self,
        folder: str | pathlib.Path,
        views: PairedViews,
        every: int = 1,
        keep: int = 2,
        minutes: float | None = 15.0,
    ) -> None:
        super().__init__()
        if every < 1 or keep < 1:
            raise ValueError(
                f"Expected every ≥ 1 and keep ≥ 1. Received: every={every}, keep={keep}."
            )
        if minutes is not None and minutes < 0:
            raise ValueError(f"Expected minutes ≥ 0 or None. Received: minutes={minutes}.")
        self.folder = pathlib.Path(folder)
        self.views = views
        self.every, self.keep, self.minutes = every, keep, minutes
        self._settings: dict[str, Any] | None = None
        self._begun, self._moved, self._steps = False, False, 0
        # What has been done and what has been saved; None before the first step of this process.
        self._done: Position | None = None
        self._saved: Position | None = None
        self._means: dict[str, float] = {}
        self._logged: dict[str, float] = {}
        self._saved_at = 0.0
        self._termination = Termination()
        self._held = contextlib.ExitStack()

    @property
    def position(self) -> Position:
        """The state that ``resume`` has restored: epochs done, and steps of the next one."""
        return self._saved or Position(0)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Takes the folder, and checks the length of epochs."""
        steps = self.params.get("steps")
        if steps != self.views.steps_per_epoch:
            raise ValueError(
                "Expected steps_per_epoch=views.steps_per_epoch, "
                f"{self.views.steps_per_epoch}, in fit: a run can only resume if its epochs end "
                f"with those of the data. Received: steps_per_epoch={steps}."
            )
        self._steps = steps
        self.model.logged_before = self._logged
        if self._settings is None:
            self._settings = settings_of(self.model, self.views)
        self._begun, self._saved_at = False, time.monotonic()
        if self._writes():
            self._held.enter_context(locked(self.folder))
            remove_unfinished(self.folder)
        self._termination = self._held.enter_context(Termination())

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begins the epoch where it was left; refuses to write into the folder of another run."""
        if not self._begun:
            self._begun = True
            self._refuse_another_run(epoch)
            if self.position.step and self.position.epoch == epoch:
                self.model.begin_within_epoch(self.position.step, self._means)
                self._done = self.position
                return
        self._done = Position(epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves if the time has come, or the process is to end."""
        assert self._done is not None
        # Keras counts a whole call of several steps, also where the epoch ends within it.
        done = Position(self._done.epoch, min(batch + 1, self.params["steps"]))
        if done <= self._done:
            return  # before this process
        self._done, self._means = done, dict(logs or {})
        if done.step == self.params["steps"]:
            return  # the epoch ends now
        if self._termination.requested:
            self._save_and_end()
        if self.minutes is not None and time.monotonic() - self._saved_at >= 60 * self.minutes:
            self._save()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves if this epoch is due."""
        assert self._done is not None
        if self._done.step < self.params["steps"]:
            return  # another callback has stopped training within it
        self._logged = {name: float(value) for name, value in (logs or {}).items()}
        self._done = Position(epoch + 1)
        if self._termination.requested:
            self._save_and_end()
        last = self._done.epoch == self.params.get("epochs") or self.model.stop_training
        if self._done.epoch % self.every == 0 or last:
            self._save()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Saves what has been done, if another callback has ended training, and lets go.

        Not if the optimizer keeps averages: Keras has put them in the place of the weights by now.
        """
        if self._done is not None and self._done > self.position and not self._averaged():
            self._save()
        self.model.logged_before = {}
        self.release()

    def release(self) -> None:
        """Lets go of the folder and of SIGTERM."""
        self._held.close()

    def save(self, epoch: int, step: int = 0) -> pathlib.Path:
        """Saves the model as it is.

        Args:
            epoch: Number of epochs done.
            step: Number of steps done of the next one. Default: 0.

        Returns:
            The checkpoint's folder.

        Raises:
            FloatingPointError: If a weight is NaN or infinite; earlier checkpoints are kept.
        """
        position = Position(epoch, step)
        final = self.folder / position.name
        if not self._writes():
            return final
        _refuse_infinite(self.model, final)
        # The settings from the start of the run: callbacks may change the learning rate during it.
        state = {
            **position._asdict(),
            # As fit has it: the records need not be there any more.
            "steps_per_epoch": self._steps or self.views.steps_per_epoch,
            "means": {name: float(value) for name, value in self._means.items()} if step else {},
            "logged": self._logged,
            "settings": self._settings or settings_of(self.model, self.views),
            "seeds": seeds_of(self.model),
        }
        with whole_state(self.folder, position, state) as partial:
            self.model.save_weights(partial.path / WEIGHTS)
        if self._moved:  # what was saved beyond counts other steps, and is no later than this
            for beyond in saved_in(self.folder):
                if beyond.position > position:
                    beyond.remove()
            self._moved = False
        kept = self._whole()[-self.keep :]
        for old in saved_in(self.folder):  # the damaged among the older ones, too
            if old.position < kept[0].position:
                old.remove()
        return final

    def resume(self, model: keras.Model, change: Collection[str] = ()) -> int:
        """Loads the newest whole checkpoint into a compiled model.

        A damaged one is passed over with a warning. If the newest was saved within an epoch,
        ``fit`` begins that epoch where it was left.

        Args:
            model: The compiled model, with the settings of the run; of its schedules, those may
                differ that continue the run's (``harl_tf.schedules.InParts``).
            change: What may differ from the settings of the run: ``"epochs"``, the length of the
                schedules; ``"batch_size"``, and with it the learning rate; ``"records"``;
                ``"accumulate"``. The run then goes on after the same share of its epochs, with what
                the schedules of now say there. Default: nothing.

        Returns:
            Number of epochs done, for ``fit(initial_epoch=...)``; 0 if there is no checkpoint.

        Raises:
            ResumeError: If the settings differ from those of the run, or no checkpoint is whole.
            ValueError: If there is no such change.
        """
        check_changes(change)
        with model.distribute_strategy.scope():  # some say their settings only once they are built
            model.optimizer.build(model.trainable_variables)
        self._settings = settings_of(model, self.views)
        self._done = self._saved = Position(0)
        newest = self._newest_whole()
        if newest is None:
            return 0
        state = newest.state()
        self._means, self._logged = state.get("means", {}), state.get("logged", {})
        position = restored(model, self.views.steps_per_epoch, self._settings, newest, change)
        self._done = self._saved = position
        self._moved = position != newest.position
        return position.epoch

    def forget(self, names: Collection[str]) -> None:
        """Keeps probes of a resumed run from repeating values that others would give today.

        Args:
            names: The values, such as those of a ``LabeledProbe`` that has other images now.
        """
        self._logged = {name: self._logged[name] for name in self._logged if name not in names}

    def _refuse_another_run(self, epoch: int) -> None:
        newest = max((saved.position for saved in self._whole()), default=Position(0))
        if newest > Position(0) and (self._saved is None or epoch < newest.epoch):
            raise ResumeError(
                f"{self.folder} holds {newest.in_words()} of a run, and this one begins at epoch "
                f"{epoch + 1}. Continue with fit(initial_epoch=checkpoint.resume(model)), or use "
                "another folder for a new run."
            )

    def _averaged(self) -> bool:
        optimizer = self.model.optimizer
        return bool(getattr(optimizer, "inner_optimizer", optimizer).use_ema)

    def _save(self) -> None:
        assert self._done is not None
        self._saved = self._done
        self.save(*self._done)
        self._saved_at = time.monotonic()

    def _save_and_end(self) -> None:
        assert self._done is not None
        self._save()
        if self._writes():
            print(
                f"\nSIGTERM: {self._done.in_words()} saved in {self.folder}.",
                file=sys.stderr,
                flush=True,
            )
        self._termination.obey()

    def _writes(self) -> bool:
        with self.model.distribute_strategy.scope():
            return distribution.is_chief()

    def _whole(self) -> list[Saved]:
        """Whole checkpoints, oldest first."""
        return [saved for saved in saved_in(self.folder) if saved.defect() is None]

    def _newest_whole(self) -> Saved | None:
        """The newest whole checkpoint; says which newer ones are damaged."""
        damaged: list[str] = []
        for saved in reversed(saved_in(self.folder)):
            defect = saved.defect()
            if defect is None:
                for sentence in damaged:
                    warnings.warn(
                        f"{sentence} Continuing from {saved.path.name} instead.", stacklevel=3
                    )
                return saved
            damaged.append(f"{saved.path} is damaged: {defect}.")
        if damaged:
            raise ResumeError(
                f"{damaged[0]} No other checkpoint there is whole; use another folder for a new "
                "run, or put back a copy."
            )
        return None


def _refuse_infinite(model: keras.Model, place: pathlib.Path) -> None:
    weight = first_not_finite(model)
    if weight is not None:
        raise FloatingPointError(
            f"Expected finite weights. Received: NaN or infinity in {weight}; "
            f"{place} was not written; earlier checkpoints are unchanged."
        )
