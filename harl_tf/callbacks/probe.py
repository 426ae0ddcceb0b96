"""A measurement of the backbone in some epochs of a training: when, logged how, said how.

Owns the epochs that are due and the values between them. What is measured is up to the subclasses.
"""

from collections.abc import Iterable
from typing import Any

from harl_tf.callbacks.spoken import Spoken


class Probe(Spoken):
    """Base class of the probes, which only read the model.

    A subclass implements ``measure``. Between probes, the latest values stand in the logs, also of
    a run that a ``Checkpoint`` after the probe has resumed, if ``names`` says what they are. Put
    probes before callbacks that use logs, such as ``EpochLog`` and ``Verdict``.

    Attributes:
        names: The values that ``measure`` gives.

    Args:
        every: Probe every this many epochs; the first and last epochs are always probed. Default:
            1.

    Raises:
        ValueError: If ``every`` is not positive.

    Example:
        >>> class Weights(Probe):
        ...     def measure(self):
        ...         return {"weights": 7.0}, "7 weights"
        >>> logs, probe = {}, Weights(every=5)
        >>> probe.set_params({"epochs": 10})
        >>> probe.on_epoch_end(0, logs)
        >>> logs
        {'weights': 7.0}
    """

    names: tuple[str, ...] = ()

    def __init__(self, every: int = 1) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"Expected every ≥ 1. Received: every={every}.")
        self.every = every
        self._latest: dict[str, float] = {}

    def measure(self) -> tuple[dict[str, float], str]:
        """Probes the current model.

        Returns:
            The values to log, by name, and what they mean in words.
        """
        raise NotImplementedError

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Discards the state of an earlier fit, possibly of another model."""
        super().on_train_begin(logs)
        self._latest = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Probes the model if this epoch is due; otherwise repeats the latest values."""
        last = epoch + 1 == (self.params or {}).get("epochs")
        if not self._latest:
            self._latest = self._before()
        if not self._latest or last or (epoch + 1) % self.every == 0:
            self._latest, words = self.measure()
            self.line = f"epoch {epoch + 1}: {words}"
        if logs is not None:
            logs.update(self._latest)

    def _before(self) -> dict[str, float]:
        """The values that the epoch before this fit had in the log, if a run was resumed."""
        logged = getattr(self.model, "logged_before", {})
        if not self.names or not logged.keys() >= set(self.names):
            return {}
        return {name: logged[name] for name in self.names}


def check_rereadable(name: str, batches: Iterable[Any]) -> None:
    """Refuses batches that only the first probe could read.

    Args:
        name: What they are, for the message.
        batches: The batches.

    Raises:
        ValueError: If they are an iterator.

    Example:
        >>> check_rereadable("train", iter([]))
        Traceback (most recent call last):
        ValueError: Expected train as a data set or a list of batches, which can be read at ...
    """
    if iter(batches) is batches:
        raise ValueError(
            f"Expected {name} as a data set or a list of batches, which can be read at every "
            f"probe. Received: {type(batches).__name__}, which can be read once."
        )
