"""The layout of an exported backbone on disk.

Owns which files there are. The folder *is* a SavedModel, so every tool that reads SavedModels can
read it; the other files are next to ``saved_model.pb``, where TensorFlow ignores them::

    FOLDER/
        saved_model.pb, variables/, ...   ``serve``, ``serve_uint8``, ``serve_training``
        backbone.keras                    the same network as Keras layers
        metadata.json                     input, outputs, method, versions
        MODEL_CARD.md                     the same for people, and how to use it
        SHA256SUMS                        of all of them
"""

import contextlib
import json
import os
import pathlib
from typing import Any

import keras

from harl_tf import files
from harl_tf.export.checksums import check_checksums
from harl_tf.export.errors import ExportError as ExportError

NATIVE, METADATA, CARD, CHECKSUMS = "backbone.keras", "metadata.json", "MODEL_CARD.md", "SHA256SUMS"
SERVE, SERVE_TRAINING = "serve", "serve_training"
SERVE_UINT8 = "serve_uint8"
MODEL_SCHEMA = 2
"""2: maps are called by their strides, and there is ``serve_uint8``."""
_SAVED_MODEL = ("saved_model.pb", "fingerprint.pb", "variables", "assets")
_OURS = frozenset((*_SAVED_MODEL, NATIVE, METADATA, CARD, CHECKSUMS))


def check(folder: pathlib.Path) -> None:
    """Checks that a folder is an exported backbone and that nothing in it has changed.

    Args:
        folder: The folder.

    Raises:
        ExportError: If it is not, naming the file that is missing or has changed.

    Example:
        >>> check(pathlib.Path("no/such/folder"))
        Traceback (most recent call last):
        harl_tf.export.errors.ExportError: no/such/folder is not an exported backbone: ...
    """
    try:
        check_checksums(folder, CHECKSUMS)
    except (OSError, ValueError) as error:
        wrong = "cannot be read" if (folder / CHECKSUMS).exists() else "is not there"
        raise ExportError(
            f"{folder} is not an exported backbone: its {CHECKSUMS} {wrong}. {_instead(folder)}"
        ) from error


def check_maps(backbone: keras.Model, instead: str) -> None:
    """Refuses a network that has no feature maps by level, such as a whole classifier.

    Args:
        backbone: The network.
        instead: What to use for such a network.

    Raises:
        ExportError: If its output is something else.

    Example:
        >>> image = keras.Input((8, 8, 3))
        >>> check_maps(keras.Model(image, keras.layers.Flatten()(image)), "Use export_keras")
        Traceback (most recent call last):
        harl_tf.export.errors.ExportError: Expected a backbone, whose output is a dict of ...
    """
    if not isinstance(backbone.output, dict):
        raise ExportError(
            "Expected a backbone, whose output is a dict of feature maps. Received: "
            f"{backbone.name!r}, with another output. {instead}."
        )


def path_of_kind(path: str | os.PathLike[str], ending: str) -> pathlib.Path:
    """A path of a file to write.

    Args:
        path: The path.
        ending: How it must end, with the dot.

    Raises:
        ExportError: If it ends otherwise.

    Example:
        >>> path_of_kind("backbone.pth", ".keras")
        Traceback (most recent call last):
        harl_tf.export.errors.ExportError: Expected a path that ends in .keras. ...
    """
    found = pathlib.Path(path)
    if found.suffix != ending:
        raise ExportError(f"Expected a path that ends in {ending}. Received: {found}.")
    return found


def first_line(error: Exception) -> str:
    """The first line of what an error of another package says, or its name.

    Example:
        >>> first_line(ValueError(f"one{chr(10)}two")), first_line(KeyError())
        ('one', 'KeyError')
    """
    return (str(error).splitlines() or [type(error).__name__])[0]


def _instead(folder: pathlib.Path) -> str:
    """What to do with something that is not an exported backbone."""
    if folder.is_file():
        return "A .keras file of a whole model is opened by harl_tf.zoo.open_backbone(path)."
    if (folder / "saved_model.pb").is_file():
        return (
            "It is a SavedModel of something else, whose code TensorFlow would run; if you trust "
            "it, use keras.layers.TFSMLayer(folder)."
        )
    if (folder / "config.json").is_file():
        return "A preset of KerasHub is opened by harl_tf.zoo.open_backbone(folder)."
    return "Make one with harl_tf.export_backbone(model, folder)."


def metadata(folder: pathlib.Path) -> dict[str, Any]:
    """What an export says about itself.

    Args:
        folder: The export; ``check`` has found it whole.

    Raises:
        ExportError: If a newer harl_tf wrote it, or something else did.

    Example:
        ::

            metadata(pathlib.Path("backbone"))["outputs"]
    """
    facts: Any = None
    with contextlib.suppress(OSError, ValueError, RecursionError):
        facts = json.loads((folder / METADATA).read_text(encoding="utf-8"))
    if not _are_facts(facts):
        raise ExportError(f"{folder / METADATA} is not that of an exported backbone.")
    if facts["schema"] > MODEL_SCHEMA:
        raise ExportError(
            f"{folder} was exported by harl_tf {facts['versions'].get('harl_tf')!s:.50}, in a "
            f"newer layout ({facts['schema']}) than this version knows ({MODEL_SCHEMA}). Update "
            f"harl_tf, or open {folder / NATIVE} with keras.saving.load_model."
        )
    return dict(facts)


def _are_facts(facts: Any) -> bool:
    """Whether something has what this package looks for in metadata, whatever else there is."""
    kinds = {"schema": int, "versions": dict, "card": dict}
    if not isinstance(facts, dict) or not isinstance(facts.get("origin"), str | None):
        return False
    return all(type(facts.get(name)) is kind for name, kind in kinds.items())


def check_disposable(folder: pathlib.Path) -> None:
    """Checks that a folder, if it exists, contains nothing but an export or part of one.

    Args:
        folder: Folder about to be replaced.

    Raises:
        ExportError: Naming the first file that is not part of an export.

    Example:
        >>> check_disposable(pathlib.Path("no/such/folder"))
    """
    if folder.exists() and not folder.is_dir():
        raise ExportError(f"{folder} is not a folder; it is left alone.")
    path = files.foreign(folder, _OURS)
    if path is not None:
        raise ExportError(
            f"{path} is not part of an exported backbone, so {folder} is left alone. Move it away "
            "or choose another folder."
        )
