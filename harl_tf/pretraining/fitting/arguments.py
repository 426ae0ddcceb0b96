"""Which arguments of Keras's ``fit``, ``evaluate`` and ``compile`` mean something here.

Owns their refusal: a pretraining method defines its own losses, metrics and targets, and an
argument that would be ignored is an error.
"""

import inspect
from collections.abc import Mapping
from typing import Any

import keras

_WITHOUT_TARGETS = ("y", "sample_weight", "class_weight", "validation_split")
_OF_THE_METHOD = ("loss", "loss_weights", "metrics", "weighted_metrics")


def by_name(
    method: str, x: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a call of one of Keras's methods, by name, without those left at default.

    Args:
        method: Name of the method of ``keras.Model``.
        x: Its first argument.
        args: Its further positional arguments.
        kwargs: Its keyword arguments.

    Raises:
        ValueError: If targets, weights or a validation split are given.

    Example:
        >>> by_name("fit", [1], (None, 32, 2), {"verbose": 0})
        {'x': [1], 'batch_size': 32, 'epochs': 2, 'verbose': 0}
        >>> by_name("evaluate", [1], ([2],), {})
        Traceback (most recent call last):
        ValueError: Expected evaluate without y: ... Received: y=[2].
    """
    signature = inspect.signature(getattr(keras.Model, method))
    # The wrapper that Keras puts around its methods keeps their signature.
    given = dict(signature.bind(None, x, *args, **kwargs).arguments)
    given.pop("self", None)
    given |= given.pop("kwargs", {})
    for name in _WITHOUT_TARGETS:
        value = given.pop(name, None)
        if value is not None and not (isinstance(value, float) and value == 0.0):
            raise ValueError(
                f"Expected {method} without {name}: pretraining has no labels, and a batch holds "
                f"all that a method needs. Received: {name}={_short(value)}."
            )
    return given


def refuse_losses(compilation: Mapping[str, Any]) -> None:
    """Refuses arguments of ``compile`` that the method decides.

    Args:
        compilation: Keyword arguments of ``compile``.

    Raises:
        ValueError: If one of them is given.

    Example:
        >>> refuse_losses({"loss": "mse"})
        Traceback (most recent call last):
        ValueError: Expected compile without loss: ... Received: loss='mse'.
    """
    for name in _OF_THE_METHOD:
        value = compilation.get(name)
        if value is not None:
            raise ValueError(
                f"Expected compile without {name}: the method defines its losses and metrics; see "
                "harl_tf.callbacks.KNNProbe for a score during training. "
                f"Received: {name}={_short(value)}."
            )
    if compilation.get("steps_per_execution") == "auto":
        raise ValueError(
            "Expected steps_per_execution as a number, because its tuning would move the ends of "
            'epochs. Received: steps_per_execution="auto".'
        )


def callback_list(callbacks: Any) -> list[keras.callbacks.Callback]:
    """The callbacks given to ``fit``: none, one, several, or a ``keras.callbacks.CallbackList``.

    Raises:
        ValueError: If one of them would break a run that is resumed.

    Example:
        >>> callback_list(keras.callbacks.TerminateOnNaN())
        [<...TerminateOnNaN object at ...>]
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = callbacks.callbacks
    if not isinstance(callbacks, list | tuple):
        callbacks = [] if callbacks is None else [callbacks]
    for callback in callbacks:
        backs_up = isinstance(callback, keras.callbacks.BackupAndRestore)
        if backs_up and callback.save_freq != "epoch":
            raise ValueError(
                'Expected BackupAndRestore(save_freq="epoch"): restored within an epoch, the '
                "stream would start that epoch again and train twice on its first batches. "
                f"Received: save_freq={callback.save_freq}."
            )
    return list(callbacks)


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."
