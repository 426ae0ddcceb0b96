"""Opening trained models: a Keras file, an exported backbone, a KerasHub preset.

Owns which of these a path or name refers to, the error if it cannot be opened, and limiting worker
processes to one thread. Keras and TensorFlow are imported on first use, so that naming a method
costs nothing. Does not own what is computed with the network (``mask_generation.methods``).
"""

import contextlib
import multiprocessing
import os
import pathlib
from collections.abc import Iterator
from typing import Any

from mask_generation.reason import reason_of

_NATIVE = "backbone.keras"
_PRESET = "config.json"


class ModelError(Exception):
    """A trained model cannot be opened or made; the one-line message says why and what to do."""


def check_source(source: str | os.PathLike[str]) -> str:
    """Checks a model as far as possible without importing Keras.

    Args:
        source: A ``.keras`` file; a folder that ``harl_tf.export_backbone`` wrote; a folder of a
            KerasHub preset; or the name of a preset, such as ``"resnet_50_imagenet"``.

    Returns:
        The source as a string.

    Raises:
        ModelError: If it is a path without a model.

    Example:
        >>> check_source("resnet_50_imagenet")
        'resnet_50_imagenet'
        >>> check_source("no/such/folder")
        Traceback (most recent call last):
        mask_generation.networks.opening.ModelError: There is no model no/such/folder. ...
    """
    text = os.fspath(source)
    path = pathlib.Path(text)
    if path.is_dir():
        if not ((path / _NATIVE).is_file() or (path / _PRESET).is_file()):
            raise ModelError(
                f"{path} holds no model. Expected {_NATIVE}, as written by "
                f"harl_tf.export_backbone, or {_PRESET}, as written by KerasHub's save_to_preset."
            )
    elif path.is_file():
        if path.suffix != ".keras":
            raise ModelError(f"Expected a model: a file that ends in .keras. Received: {path}.")
    elif "://" not in text and (path.suffix == ".keras" or len(path.parts) != 1):
        raise ModelError(
            f"There is no model {path}. Expected a .keras file, the folder of an exported "
            "backbone, or a KerasHub preset, as a folder or by its name."
        )
    return text


def is_preset(source: str) -> bool:
    """Whether a checked source is a KerasHub preset, by folder or by name.

    Example:
        >>> is_preset("resnet_50_imagenet"), is_preset("my.keras")
        (True, False)
    """
    path = pathlib.Path(source)
    return path.suffix != ".keras" and not (path / _NATIVE).is_file()


def open_keras(source: str) -> Any:
    """Opens a ``.keras`` file or the one in the folder of an exported backbone.

    Args:
        source: A checked source that is not a preset.

    Returns:
        The ``keras.Model``, not compiled.

    Raises:
        ModelError: If it cannot be opened, or contains layers that Keras does not have.
    """
    path = pathlib.Path(source)
    if path.is_dir():
        path = path / _NATIVE
    with one_thread_in_workers(), explained(f"The model {path} cannot be opened"):
        import keras

        return keras.saving.load_model(path, compile=False)


@contextlib.contextmanager
def one_thread_in_workers() -> Iterator[None]:
    """Limits TensorFlow to one thread in a worker process that has not used it yet.

    Many workers with one thread per core would only slow each other down. The user's own process is
    not changed.
    """
    if multiprocessing.parent_process() is not None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import tensorflow as tf

        with contextlib.suppress(RuntimeError):  # already in use: its threads exist
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
    yield


@contextlib.contextmanager
def explained(what: str, advice: str = "") -> Iterator[None]:
    r"""Turns any error that a library raises in the block into one sentence.

    Args:
        what: What failed.
        advice: What to do, added at the end.

    Raises:
        ModelError: If anything is raised in the block.

    Example:
        >>> with explained("The model cannot be opened", "Try another."):
        ...     raise ValueError("Bad\nfile.")
        Traceback (most recent call last):
        mask_generation.networks.opening.ModelError: The model cannot be opened: Bad file...
    """
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # each kind of damaged file raises a different error
        raise ModelError(f"{what}: {reason_of(error)}. {advice}".rstrip()) from error
