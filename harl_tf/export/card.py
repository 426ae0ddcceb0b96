"""What an exported backbone says about itself: metadata for programs, a model card for people."""

import dataclasses
import importlib.metadata
import json
from collections.abc import Mapping
from typing import Any

import keras

from harl_tf.export import artifact
from harl_tf.pretraining import Pretraining

_PACKAGES = ("harl_tf", "keras", "keras-hub", "tensorflow")


@dataclasses.dataclass(frozen=True)
class Card:
    """What only the person who trained a backbone knows.

    Attributes:
        data: The pretraining data. Default: "not stated".
        license: License of the weights. Default: "not stated".
        metrics: Measured values by name. Default: none.
        notes: Anything else its users should know, such as limits. Default: none.
        image_size: Side in pixels of the images at which its features are good, to begin with.
            Default: not stated.
    """

    data: str = "not stated"
    license: str = "not stated"
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    notes: str = ""
    image_size: int | None = None


def describe(model: keras.Model, backbone: keras.Model, card: Card) -> dict[str, Any]:
    """Everything a program may want to know about an exported backbone, serializable as JSON."""
    return {
        "schema": artifact.MODEL_SCHEMA,
        "input": {
            "shape": list(backbone.input.shape),
            "dtype": "float32, or uint8 with serve_uint8",
            "values": "RGB, 0 to 255; normalization is part of the network",
        },
        "outputs": {
            name: {"shape": list(tensor.shape)} for name, tensor in backbone.output.items()
        },
        "parameters": backbone.count_params(),
        "method": _method(model) if isinstance(model, Pretraining) else None,
        "origin": getattr(getattr(model, "backbone", model), "origin", None),
        "card": plain_values(card),
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def plain_values(card: Card) -> dict[str, Any]:
    """A card as JSON can hold it: NumPy's numbers become Python's.

    Example:
        >>> plain_values(Card(metrics={"knn": np.float32(0.5)}))["metrics"]
        {'knn': 0.5}
    """
    size = None if card.image_size is None else int(card.image_size)
    metrics = {name: float(value) for name, value in card.metrics.items()}
    return {**dataclasses.asdict(card), "metrics": metrics, "image_size": size}


def _method(model: Pretraining) -> dict[str, Any]:
    left_out = ("backbone", "augmentations")
    settings = {key: each for key, each in model.get_config().items() if key not in left_out}
    return {"class": type(model).__name__, **settings}


def render(facts: Mapping[str, Any]) -> str:
    """Renders what ``describe`` found as a model card in Markdown."""
    card = facts["card"]
    metrics = "\n".join(f"| {name} | {value:.4g} |" for name, value in card["metrics"].items())
    outputs = ", ".join(f"`{name}` {value['shape']}" for name, value in facts["outputs"].items())
    versions = ", ".join(f"{name} {value}" for name, value in facts["versions"].items())
    size = card.get("image_size")  # older exports have none
    sized = f"; {size}×{size} pixels are a good size to begin with" if size else ""
    measured = f"\n| metric | value |\n|---|---|\n{metrics}\n" if metrics else "none were given\n"
    method = facts["method"]
    title = "Backbone" + (f" pretrained with {method['class']}" if method else "")
    takes_bytes = "; `serve_uint8` takes bytes" if facts["schema"] > 1 else ""
    return f"""# {title}

- **Data**: {card["data"]}
- **License of the weights**: {card["license"]}
- **Input**: float32 {facts["input"]["shape"]}, {facts["input"]["values"]}{sized}
- **Outputs**: {outputs}
- **Parameters**: {facts["parameters"]:,}
- **Made with**: {versions}

## Measured
{measured}
## Use
With plain Keras, as Keras layers (`import keras_hub` first if there are layers of KerasHub among
them):

    backbone = keras.saving.load_model("FOLDER/backbone.keras")

With harl_tf (mixed precision, synchronized or frozen batch statistics, KerasHub's detectors and
segmenters):

    backbone = harl_tf.load_backbone("FOLDER")

As a preset of KerasHub, as a LiteRT or an ONNX file:

    python -m harl_tf export FOLDER PRESET
    python -m harl_tf export FOLDER backbone.tflite
    python -m harl_tf export FOLDER backbone.onnx

As a SavedModel, for TensorFlow Serving (`serve` takes float32{takes_bytes}) or in plain Keras
(create it inside the strategy's scope if there is one):

    backbone = keras.layers.TFSMLayer(
        "FOLDER", call_endpoint="serve", call_training_endpoint="serve_training", dtype="float32"
    )
    ...
    model.compile(optimizer, loss)
    optimizer.build(model.trainable_variables)

The last line is needed for every optimizer with a state, such as SGD with momentum or AdamW: Keras
3.15 cannot make the state of a TFSMLayer inside `fit` ("is not a valid scope name").

To freeze the SavedModel, leave out `call_training_endpoint` *and* pass `trainable=False`: weights
and batch statistics then stay. With `serve` alone, weights are trained and statistics stay; with
`serve_training`, statistics move even if `trainable=False`. On several replicas, `serve_training`
gives each replica its own batch statistics: use `load_backbone`, which synchronizes them.

## Pretraining settings

    {json.dumps(method, sort_keys=True)}

{card["notes"]}
"""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
