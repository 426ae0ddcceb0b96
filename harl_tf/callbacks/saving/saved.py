"""The layout of saved states on disk.

One folder per state, named after what had been done::

    RUN/epoch_000012/                twelve epochs
    RUN/epoch_000012_step_000345/    twelve epochs and 345 steps of the next
        model.weights.h5   every weight and the optimizer's state
        state.json         what had been done, and the settings that must be equal to continue
        COMPLETE           SHA-256 of the two, written last

A folder is written under a temporary name and then renamed in one step, so a run killed at any
moment leaves only complete states and temporary files that are never read.
"""

import contextlib
import hashlib
import json
import pathlib
import re
import shutil
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from harl_tf import files
from mask_generation.lock import Lock

WEIGHTS, STATE, COMPLETE = "model.weights.h5", "state.json", "COMPLETE"
LOCK = ".lock"
"""Name of the lock in the folder of a run."""
_NAME = re.compile(r"epoch_(\d{6,})(?:_step_(\d{6,}))?")


class Position(NamedTuple):
    """How far a run has come; positions are ordered.

    Attributes:
        epoch: Number of whole epochs.
        step: Number of steps of the next one.

    Example:
        >>> Position(12, 345) > Position(12), Position(12).in_words(), Position(12, 345).in_words()
        (True, 'epoch 12', 'epoch 12 and 345 steps')
    """

    epoch: int
    step: int = 0

    @property
    def name(self) -> str:
        """The name of the folder that holds this state."""
        return f"epoch_{self.epoch:06d}" + (f"_step_{self.step:06d}" if self.step else "")

    def in_words(self) -> str:
        """What has been done."""
        if not self.step:
            return f"epoch {self.epoch}"
        steps = "1 step" if self.step == 1 else f"{self.step} steps"
        return f"epoch {self.epoch} and {steps}" if self.epoch else steps


class Saved(NamedTuple):
    """A saved state.

    Attributes:
        position: How far the run had come.
        path: Its folder.
    """

    position: Position
    path: pathlib.Path

    def defect(self) -> str | None:
        """What is wrong with the folder; None if it is as it was written.

        Example:
            >>> import tempfile
            >>> Saved(Position(1), pathlib.Path(tempfile.mkdtemp())).defect()
            'it has no COMPLETE'
        """
        try:
            digests = json.loads((self.path / COMPLETE).read_text(encoding="utf-8"))
            expected = {name: str(digests[name]) for name in (WEIGHTS, STATE)}
        except FileNotFoundError:
            return f"it has no {COMPLETE}"
        except (OSError, ValueError, KeyError, TypeError):
            return f"its {COMPLETE} cannot be read"
        for name, digest in expected.items():
            try:
                if _sha256(self.path / name) != digest:
                    return f"its {name} is not as it was written, going by {COMPLETE}"
            except FileNotFoundError:
                return f"it has no {name}"
            except OSError as error:
                return f"its {name} cannot be read: {error.strerror}"
        return None

    def state(self) -> dict[str, Any]:
        """The contents of its ``state.json``."""
        return dict(json.loads((self.path / STATE).read_text(encoding="utf-8")))

    def remove(self) -> None:
        """Deletes the folder; a process killed within it leaves what ``remove_unfinished`` takes.

        Example:
            >>> import tempfile
            >>> run = pathlib.Path(tempfile.mkdtemp())
            >>> saved = Saved(Position(1), run / Position(1).name)
            >>> saved.path.mkdir()
            >>> saved.remove()
            >>> list(run.iterdir())
            []
        """
        try:
            _delete(self.path.rename(self.path.with_name(self.path.name + _PARTIAL)))
        except OSError as error:
            warnings.warn(f"{self.path} could not be deleted: {error.strerror}.", stacklevel=3)


_PARTIAL, _REPLACED = ".partial", ".replaced"
"""As ``files.whole_folder`` ends the names of what it writes and of what it replaces."""


def saved_in(run: pathlib.Path) -> list[Saved]:
    """The saved states in the folder of a run, whole or not, oldest first.

    Args:
        run: The folder; it need not exist.

    Example:
        >>> import tempfile
        >>> run = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ("epoch_000002_step_000007", "epoch_000002", "epoch_000003.partial"):
        ...     (run / name).mkdir()
        >>> [saved.position.in_words() for saved in saved_in(run)]
        ['epoch 2', 'epoch 2 and 7 steps']
    """
    found = []
    for path in run.glob("epoch_*"):
        if match := _NAME.fullmatch(path.name):
            found.append(Saved(Position(int(match[1]), int(match[2] or 0)), path))
    return sorted(found)


@contextlib.contextmanager
def locked(run: pathlib.Path) -> Iterator[None]:
    """Within the block, no other process works on a run; its folder is made if there is none.

    Args:
        run: The folder.

    Raises:
        LockedError: If another process works on it.
        OSError: If it cannot be written.

    Example:
        >>> import tempfile
        >>> with locked(pathlib.Path(tempfile.mkdtemp()) / "run"):
        ...     print("alone")
        alone
    """
    with contextlib.ExitStack() as held:
        with files.told(run):
            run.mkdir(parents=True, exist_ok=True)
            held.enter_context(Lock(run / LOCK, run))
        yield


def remove_unfinished(run: pathlib.Path) -> None:
    """Removes what interrupted saves and deletions have left behind; for who holds the run's lock.

    Args:
        run: The folder of the run.

    Example:
        >>> import tempfile
        >>> run = pathlib.Path(tempfile.mkdtemp())
        >>> (run / "epoch_000003.partial").mkdir()
        >>> remove_unfinished(run)
        >>> list(run.iterdir())
        []
    """
    for before, after in (("", _PARTIAL), (".", _REPLACED)):
        for path in run.glob(f"{before}epoch_*{after}"):
            if _NAME.fullmatch(path.name.removeprefix(before).removesuffix(after)):
                _delete(path)


def _delete(folder: pathlib.Path) -> None:
    """Deletes a folder as far as that is possible, which must not end a run that is healthy."""
    try:
        shutil.rmtree(folder)
    except OSError as error:
        warnings.warn(f"{folder} could not be deleted: {error.strerror}.", stacklevel=4)


@contextlib.contextmanager
def whole_state(run: pathlib.Path, position: Position, state: dict[str, Any]) -> Iterator[Saved]:
    """Gives the folder of a state to write the weights to; it appears when it is complete.

    Args:
        run: The folder of the run.
        position: How far it has come.
        state: What is written to ``state.json``.

    Returns:
        A context manager that gives the state under its temporary name.

    Raises:
        OSError: If it cannot be written; older states stay as they were.
    """
    with files.whole_folder_of_mine(run / position.name) as folder:
        yield Saved(position, folder)
        (folder / STATE).write_text(json.dumps(state, indent=1), encoding="utf-8")
        digests = {name: _sha256(folder / name) for name in (WEIGHTS, STATE)}
        (folder / COMPLETE).write_text(json.dumps(digests, indent=1), encoding="utf-8")


def _sha256(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
