"""What a callback holds while ``fit`` runs, such as a lock, and lets go of however it ends.

Keras calls ``on_train_end`` only after a fit without an error.
"""

import contextlib
from collections.abc import Iterable, Iterator

import keras


class Releasing(keras.callbacks.Callback):
    """Base class of callbacks that hold something; ``Pretraining.fit`` calls ``release``."""

    def release(self) -> None:
        """Lets go of what it holds, if anything."""
        raise NotImplementedError(f"{type(self).__name__} does not define release.")


@contextlib.contextmanager
def released(callbacks: Iterable[keras.callbacks.Callback]) -> Iterator[None]:
    """At the end of the block, with or without an error, callbacks let go of what they hold.

    Args:
        callbacks: The callbacks of a fit; those that hold nothing are left alone.

    Example:
        >>> class Holding(Releasing):
        ...     def release(self):
        ...         print("released")
        >>> with released([Holding(), keras.callbacks.TerminateOnNaN()]):
        ...     print("training")
        training
        released
    """
    with contextlib.ExitStack() as stack:
        for callback in callbacks:
            if isinstance(callback, Releasing):
                stack.callback(callback.release)
        yield
