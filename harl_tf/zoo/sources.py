"""Where a backbone can come from: our exports, KerasHub's presets, networks saved whole.

Owns how each kind is recognized and read. A kind is an object with ``is_at`` and ``read``; the
first one that recognizes a source reads it.
"""

import contextlib
import pathlib
import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import keras
import keras_hub

from harl_tf.export import artifact
from harl_tf.export.checksums import check_checksums
from harl_tf.export.preset import PRESET_CHECKSUMS
from harl_tf.zoo.loader import load_backbone
from harl_tf.zoo.maps import of_any_size, with_maps
from harl_tf.zoo.places import folder_of, is_named
from harl_tf.zoo.values import VALUES, Values, known_values


class StartError(Exception):
    """A source cannot be used as a backbone; the message says why and what to do."""


class Read(NamedTuple):
    """What a source holds.

    Attributes:
        network: A functional model, as ``harl_tf.backbones.feature_pyramid`` takes it.
        kind: What the source is, in words.
        values: The pixel values that the network takes; None if that cannot be known.
        reason: How they are known, in words.
        size: Side of the images, in pixels, at which its features are good, if that is known.
    """

    network: keras.Model
    kind: str
    values: Values | None
    reason: str
    size: int | None = None


class Source(Protocol):
    """A kind of source."""

    def is_at(self, source: str) -> bool:
        """Whether a source is of this kind."""

    def read(self, source: str) -> Read:
        """Reads it; errors are ``StartError``s."""


class Export:
    """A folder that ``export_backbone`` wrote, a run with one in it, or a preset of our own."""

    def is_at(self, source: str) -> bool:
        """Whether it has an export's checksums, is a run, a name or an address."""
        return is_named(source) or self._folder(source) is not None

    def read(self, source: str) -> Read:
        """Loads the export."""
        with _sentences(source):
            folder = folder_of(source) if is_named(source) else self._folder(source)
        if folder is None or not (folder / artifact.CHECKSUMS).exists():
            raise StartError(
                f"{source} is a run that has no backbone yet; let it finish, or name another."
            )
        with _sentences(source):
            network = load_backbone(folder)
            size = artifact.metadata(folder)["card"].get("image_size")
        reason = "it rescales them itself"
        return Read(network, "exported backbone", VALUES["raw"], reason, size)

    def _folder(self, source: str) -> pathlib.Path | None:
        path = pathlib.Path(source)
        inside = path / "backbone"
        if (path / artifact.CHECKSUMS).is_file():
            return path
        return inside if (inside / artifact.CHECKSUMS).is_file() or _is_run(path) else None


class HubPreset:
    """A preset of KerasHub: a folder, a handle such as ``hf://...``, or a name that it knows."""

    def is_at(self, source: str) -> bool:
        """Whether it is a preset's folder, has a scheme, or is the name of a preset."""
        folder = pathlib.Path(source)
        if folder.is_dir():
            return any((folder / each).is_file() for each in ("config.json", PRESET_CHECKSUMS))
        return "://" in source or source in keras_hub.models.Backbone.presets

    def read(self, source: str) -> Read:
        """Loads the preset's backbone, and from its image converter the values that it takes."""
        with _sentences(source):
            if (pathlib.Path(source) / PRESET_CHECKSUMS).is_file():  # one of export_preset
                check_checksums(pathlib.Path(source), PRESET_CHECKSUMS)
            network = keras_hub.models.Backbone.from_preset(source)
            _check_images(network)
            plain = isinstance(network.output, keras.KerasTensor) and len(network.output.shape) == 4
            pyramid = getattr(network, "pyramid_outputs", None)
            maps = with_maps(network) if plain and not pyramid else network
        converter = _converter(source)
        size = converter.image_size[0] if converter and converter.image_size else None
        name, reason = known_values(maps)
        if name is not None:
            return Read(maps, "KerasHub preset", VALUES[name], reason, size)
        values = None if converter is None else _values_of(converter)
        return Read(maps, "KerasHub preset", values, "as its image converter makes them", size)


class WholeModel:
    """A file of a whole model: ``model.save("NAME.keras")``, or an ``.h5`` file."""

    def is_at(self, source: str) -> bool:
        """Whether it is a file."""
        return pathlib.Path(source).is_file()

    def read(self, source: str) -> Read:
        """Loads the model and cuts it at its feature maps."""
        if re.search(r"\.weights\.(h5|json)$|\.(ckpt|index|safetensors|pth?)$", source):
            raise StartError(
                f"{source} holds weights without their network. Build the network, load them into "
                'it and save it whole: model.save("NAME.keras").'
            )
        if not source.endswith((".keras", ".h5", ".hdf5")):
            raise StartError(f"{source} is not a .keras file of a whole model.")
        with _sentences(source):
            network = keras.saving.load_model(source, compile=False)
            _check_images(network)
            if isinstance(network, keras.Sequential):  # has no ``output`` once it was loaded
                network = keras.Model(network.inputs, network.outputs[0], name=network.name)
            maps = of_any_size(network) if isinstance(network.output, dict) else with_maps(network)
        name, reason = known_values(network)
        values = None if name is None else VALUES[name]
        return Read(maps, "saved model", values, reason, network.inputs[0].shape[1])


SOURCES: tuple[Source, ...] = (Export(), HubPreset(), WholeModel())
"""The kinds of sources, in the order in which they are asked."""


def read(source: str) -> Read:
    """Reads a source of any kind.

    Args:
        source: A path, or what KerasHub resolves to a preset.

    Raises:
        StartError: If there is nothing, something else, or nothing that can be read.

    Example:
        >>> read("no/such/folder")
        Traceback (most recent call last):
        harl_tf.zoo.sources.StartError: There is no no/such/folder, ...
    """
    for kind in SOURCES:
        if kind.is_at(source):
            return kind.read(source)
    accepted = (
        "Expected a folder of export_backbone or of a run, a KerasHub preset, or a .keras file "
        "of a whole model."
    )
    if pathlib.Path(source).exists():
        raise StartError(f"{source} holds no backbone. {accepted}")
    raise StartError(
        f"There is no {source}, neither as a file or folder nor as a preset of KerasHub. {accepted}"
    )


def _is_run(folder: pathlib.Path) -> bool:
    return (folder / "run.json").is_file() and (folder / "recipe.txt").is_file()


def _check_images(network: keras.Model) -> None:
    shapes = [each.shape for each in getattr(network, "inputs", None) or []]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] not in (3, None):
        raise StartError(
            f"{network.name!r} is no network of RGB images (batch, height, width, 3): its inputs "
            f"are {shapes or 'not known'}."
        )


def _converter(preset: str) -> keras_hub.layers.ImageConverter | None:
    """A preset's own image converter; None if it has none."""
    try:
        return keras_hub.layers.ImageConverter.from_preset(preset)
    except (OSError, ValueError):
        return None


def _values_of(converter: keras_hub.layers.ImageConverter) -> Values:
    """The values that an image converter makes."""
    if converter.scale is None and converter.offset is None:
        return VALUES["raw"]
    scale, offset = _three(converter.scale, 1.0), _three(converter.offset, 0.0)
    return Values(
        mean=tuple(-low / factor for low, factor in zip(offset, scale, strict=True)),
        std=tuple(1.0 / factor for factor in scale),
    )


def _three(value: float | list[float] | None, default: float) -> list[float]:
    value = default if value is None else value
    return [float(value)] * 3 if isinstance(value, int | float) else [float(each) for each in value]


@contextlib.contextmanager
def _sentences(source: str) -> Iterator[None]:
    """Turns whatever Keras, KerasHub, the disk or the network raise into one sentence."""
    try:
        yield
    except StartError as error:
        raise StartError(f"{source} cannot be used: {error}") from None
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        what = lines[0] if lines else type(error).__name__
        raise StartError(f"{source} cannot be read: {what[:300].rstrip(' .:')}.") from error
