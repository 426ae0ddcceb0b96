"""The settings of a run that must be the same for it to go on, and how two sets of them differ."""

from typing import Any, NamedTuple

import keras

from harl_tf.data import PairedViews
from harl_tf.schedules import continues, is_in_parts

# Keys of a configuration that hold names of layers and tensors.
_NAMES = frozenset({"name", "inbound_nodes", "input_layers", "output_layers", "build_config"})


def settings_of(model: keras.Model, views: PairedViews) -> dict[str, Any]:
    """The settings of a run.

    Args:
        model: The compiled model.
        views: The stream it learns from.

    Returns:
        The settings, serializable as JSON, without the names that Keras renumbers.
    """
    optimizer = keras.optimizers.serialize(model.optimizer)
    config = {name: value for name, value in model.get_config().items() if name != "dtype"}
    return {
        "model": _anonymous(config),
        "optimizer": _anonymous(optimizer),
        "accumulation_steps": model.accumulation_steps,
        "global_clip_norm": model.global_clip_norm,
        "data": views.settings(),
        "precision": keras.config.dtype_policy().name,
    }


class Difference(NamedTuple):
    """What differs between the settings of a saved run and those of now.

    Attributes:
        path: Where in the settings it is, such as ``"data.seed"``.
        saved: The saved setting.
        current: That of now.
        words: Both, in words.
        schedule: Where the schedule is that it belongs to, if it belongs to one.
    """

    path: str
    saved: Any
    current: Any
    words: str
    schedule: str | None = None


def differences(
    saved: Any, current: Any, updates: int, path: str = "", schedule: str | None = None
) -> list[Difference]:
    """What differs between the settings of a saved run and those of now.

    Args:
        saved: The settings of the saved run, from JSON.
        current: Those of now, from JSON, too, so that both have the same types.
        updates: Updates that the saved run has had; a schedule may be another one after them
            (``harl_tf.schedules.InParts``).
        path: Where in the settings both were found. Default: at their root.
        schedule: Where the schedule is that they are a part of. Default: of none.

    Example:
        >>> differences({"data": {"seed": 0}}, {"data": {"seed": 7}}, updates=0)[0].words
        'data.seed was 0, is 7'
    """
    if continues(saved, current, updates):
        return []
    if schedule is None and _is_schedule(current) and _is_schedule(saved):
        schedule = path
    found: list[Difference] = []
    if isinstance(saved, dict) and isinstance(current, dict):
        for key in sorted(saved.keys() | current.keys()):
            inner = f"{path}.{key}" if path else key
            found += differences(saved.get(key), current.get(key), updates, inner, schedule)
    elif isinstance(saved, list) and isinstance(current, list) and len(saved) == len(current):
        for index, pair in enumerate(zip(saved, current, strict=True)):
            found += differences(*pair, updates, f"{path}[{index}]", schedule)
    elif saved != current:
        words = f"{path} was {_short(saved)}, is {_short(current)}"
        found = [Difference(path, saved, current, words, schedule)]
    if found and is_in_parts(current) and schedule == path:
        words = (
            f"{path} does not continue the run's schedule: its InParts must begin with that one "
            f"and change it after update {updates} or later"
        )
        return [each._replace(words=words) for each in found]
    return found


def _is_schedule(config: Any) -> bool:
    """Whether something serialized is a schedule, Keras's or ours."""
    if not isinstance(config, dict) or "class_name" not in config:
        return False
    ours = str(config.get("registered_name")).startswith("harl_tf>")
    made = {"harl_tf>Cosine", "harl_tf>InParts"}
    keras_own = str(config.get("module")).startswith("keras.optimizers.schedules")
    return keras_own or (ours and config["registered_name"] in made)


def _anonymous(config: Any) -> Any:
    """A configuration without the names that Keras renumbers in every process."""
    if isinstance(config, dict):
        return {key: _anonymous(value) for key, value in config.items() if key not in _NAMES}
    if isinstance(config, list | tuple):
        return [_anonymous(value) for value in config]
    return config


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
