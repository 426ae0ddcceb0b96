"""Checkpoints that survive a killed run, and resuming from them.

Owns the layout on disk, one folder per saved epoch::

    RUN/epoch_000012/
        model.weights.h5   every weight and the optimizer's state
        state.json         epoch, and the settings that must be equal to continue
        COMPLETE           SHA-256 of the two, written last

A folder is written under a temporary name and then renamed in one step, so a run killed at any
moment leaves only complete checkpoints and temporary files that are never read.
"""

import hashlib
import json
import pathlib
import shutil
import warnings
from typing import Any

import keras

from harl_tf import distribution, files
from harl_tf.data import PairedViews
from harl_tf.pretraining.finite import first_not_finite
from harl_tf.schedules import continues, is_in_parts

_WEIGHTS, _STATE, _COMPLETE = "model.weights.h5", "state.json", "COMPLETE"
# Keys of a configuration that hold names of layers and tensors.
_NAMES = frozenset({"name", "inbound_nodes", "input_layers", "output_layers", "build_config"})


class ResumeError(Exception):
    """A run cannot be continued; the message says what differs and what to do."""


class Checkpoint(keras.callbacks.Callback):
    """Saves the run at the end of epochs; ``resume`` restores the last saved epoch.

    With several workers, the first one writes, to a folder that all of them can read. A model with
    NaN or infinite weights is not saved, nor is an epoch that ended before its last step. A folder
    with checkpoints is only written to after ``resume``, so that two runs cannot mix in it.

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

    Example:
        ::

            checkpoint = harl_tf.callbacks.Checkpoint("runs/a", views)
            first = checkpoint.resume(model)  # 0 if there is nothing to resume
            model.fit(views, epochs=100, initial_epoch=first, callbacks=[checkpoint])
    """

    def __init__(
        self, folder: str | pathlib.Path, views: PairedViews, every: int = 1, keep: int = 2
    ) -> None:
        super().__init__()
        if every < 1 or keep < 1:
            raise ValueError(
                f"Expected every ≥ 1 and keep ≥ 1. Received: every={every}, keep={keep}."
            )
        self.folder = pathlib.Path(folder)
        self.views = views
        self.every, self.keep = every, keep
        self._settings: dict[str, Any] | None = None
        self._begun, self._steps = False, 0
        # Epochs done and epochs saved; None before the first one of this process.
        self._done: int | None = None
        self._saved: int | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Records the settings the run starts with and checks the length of its epochs."""
        steps = self.params.get("steps")
        if steps != self.views.steps_per_epoch:
            raise ValueError(
                "Expected steps_per_epoch=views.steps_per_epoch, "
                f"{self.views.steps_per_epoch}, in fit: a run can only resume if its epochs end "
                f"with those of the data. Received: steps_per_epoch={steps}."
            )
        if self._settings is None:
            self._settings = _settings(self.model, self.views)
        self._begun = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Refuses, before the first step, to write into the folder of another run."""
        self._steps = 0
        if self._begun:
            return
        self._begun = True
        newest = max((_epoch_of(path) for path in self._complete()), default=0)
        if newest and (self._saved is None or epoch < newest):
            raise ResumeError(
                f"{self.folder} holds {newest} epochs of a run, and this one begins at epoch "
                f"{epoch + 1}. Continue with fit(initial_epoch=checkpoint.resume(model)), or use "
                "another folder for a new run."
            )

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts the steps."""
        self._steps = batch + 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves if this epoch is due."""
        if self._steps < self.views.steps_per_epoch:  # Another callback has stopped training.
            warnings.warn(
                f"Epoch {epoch + 1} ended after {self._steps} of {self.views.steps_per_epoch} "
                f"steps and is not saved in {self.folder}: a run can only resume at the end of an "
                "epoch.",
                stacklevel=2,
            )
            self._done = self._saved
            return
        self._done = epoch + 1
        if self._done % self.every == 0 or self._done == self.params.get("epochs"):
            self._save_done()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Saves the last epoch if another callback has ended training with it."""
        if self._done != self._saved:
            self._save_done()

    def save(self, epoch: int) -> pathlib.Path:
        """Saves the model at the end of an epoch.

        Args:
            epoch: Number of epochs done.

        Returns:
            The checkpoint's folder.

        Raises:
            FloatingPointError: If a weight is NaN or infinite; earlier checkpoints are kept.
        """
        final = self.folder / f"epoch_{epoch:06d}"
        with self.model.distribute_strategy.scope():
            if not distribution.is_chief():
                return final
        _refuse_infinite(self.model, final)
        # The settings from the start of the run: callbacks may change the learning rate during it.
        settings = self._settings or _settings(self.model, self.views)
        state = {"epoch": epoch, "settings": settings}
        with files.whole_folder(final) as folder:
            self.model.save_weights(folder / _WEIGHTS)
            (folder / _STATE).write_text(json.dumps(state, indent=1), encoding="utf-8")
            digests = {name: _sha256(folder / name) for name in (_WEIGHTS, _STATE)}
            (folder / _COMPLETE).write_text(json.dumps(digests, indent=1), encoding="utf-8")
        for old in self._complete()[: -self.keep]:
            shutil.rmtree(old)
        return final

    def resume(self, model: keras.Model) -> int:
        """Loads the newest complete checkpoint into a compiled model.

        Args:
            model: The compiled model, with the settings of the run; of its schedules, those may
                differ that continue the run's (``harl_tf.schedules.InParts``).

        Returns:
            Number of epochs done, for ``fit(initial_epoch=...)``; 0 if there is no checkpoint.

        Raises:
            ResumeError: If the settings differ from those of the run.
        """
        self._settings = _settings(model, self.views)
        complete = self._complete()
        self._done = self._saved = 0
        if not complete:
            return 0
        newest = complete[-1]
        state = json.loads((newest / _STATE).read_text(encoding="utf-8"))
        # Round trip through JSON, so that both sides have the same types.
        settings = json.loads(json.dumps(self._settings))
        updates = int(state["epoch"]) * self.views.steps_per_epoch
        _refuse_differences(state["settings"], settings, updates, newest)
        # The state of an optimizer without variables would silently not be loaded.
        with model.distribute_strategy.scope():
            model.optimizer.build(model.trainable_variables)
            model.load_weights(newest / _WEIGHTS)
        self._done = self._saved = int(state["epoch"])
        return self._saved

    def _save_done(self) -> None:
        assert self._done is not None
        self._saved = self._done
        self.save(self._done)

    def _complete(self) -> list[pathlib.Path]:
        """Complete checkpoints, oldest first."""
        return [path for path in sorted(self.folder.glob("epoch_??????")) if _is_complete(path)]


def _refuse_infinite(model: keras.Model, checkpoint: pathlib.Path) -> None:
    weight = first_not_finite(model)
    if weight is not None:
        raise FloatingPointError(
            f"Expected finite weights. Received: NaN or infinity in {weight}; "
            f"{checkpoint} was not written; earlier checkpoints are unchanged."
        )


def _epoch_of(checkpoint: pathlib.Path) -> int:
    return int(checkpoint.name.removeprefix("epoch_"))


def _is_complete(path: pathlib.Path) -> bool:
    try:
        digests = json.loads((path / _COMPLETE).read_text(encoding="utf-8"))
        return all(_sha256(path / name) == digests[name] for name in (_WEIGHTS, _STATE))
    except (OSError, ValueError, KeyError):
        return False


def _settings(model: keras.Model, views: PairedViews) -> dict[str, Any]:
    """The settings that must be the same to resume a run, serializable as JSON."""
    optimizer = keras.optimizers.serialize(model.optimizer)
    return {
        "model": _anonymous(model.get_config()),
        "optimizer": _anonymous(optimizer),
        "accumulation_steps": model.accumulation_steps,
        "global_clip_norm": model.global_clip_norm,
        "data": views.settings(),
        "precision": keras.config.dtype_policy().name,
    }


def _anonymous(config: Any) -> Any:
    """A configuration without the names that Keras renumbers in every process."""
    if isinstance(config, dict):
        return {key: _anonymous(value) for key, value in config.items() if key not in _NAMES}
    if isinstance(config, list | tuple):
        return [_anonymous(value) for value in config]
    return config


def _refuse_differences(saved: Any, current: Any, updates: int, checkpoint: pathlib.Path) -> None:
    differences = list(_differences(saved, current, updates, ""))
    if differences:
        shown = "; ".join(differences[:3])
        more = f"; and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise ResumeError(
            f"{checkpoint} belongs to a run with other settings: {shown}{more}. Use that run's "
            "settings to resume it, or another folder for a new run."
        )


def _differences(saved: Any, current: Any, updates: int, path: str) -> list[str]:
    if continues(saved, current, updates):
        return []
    if is_in_parts(current) and saved != current:
        return [
            f"{path} does not continue the run's schedule: its InParts must begin with that "
            f"one and change it after update {updates} or later"
        ]
    if isinstance(saved, dict) and isinstance(current, dict):
        found = []
        for key in sorted(saved.keys() | current.keys()):
            inner = f"{path}.{key}" if path else key
            found += _differences(saved.get(key), current.get(key), updates, inner)
        return found
    if isinstance(saved, list) and isinstance(current, list) and len(saved) == len(current):
        pairs = enumerate(zip(saved, current, strict=True))
        return [line for i, pair in pairs for line in _differences(*pair, updates, f"{path}[{i}]")]
    return [] if saved == current else [f"{path} was {_short(saved)}, is {_short(current)}"]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _sha256(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
