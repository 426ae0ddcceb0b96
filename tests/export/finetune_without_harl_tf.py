"""Fine-tunes an exported backbone with plain Keras, harl_tf being out of reach.

Arguments: the backbone's folder, a ``.npz`` with images and the exporting model's features, and
names of optimizers.
Prints, as JSON, the largest difference of the features of each route; and for every way to fit it
the smallest and the largest change of a weight, the same of a statistic, or the error.
"""

import json
import pathlib
import sys

import keras
import numpy as np

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.01),
    "momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "lion": keras.optimizers.Lion,
    "adafactor": keras.optimizers.Adafactor,
    "loss_scale": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()),
}
TRAINING = "serve_training"


def saved_model(folder: str, endpoint: str | None = TRAINING, trainable: bool = True):
    return keras.layers.TFSMLayer(
        folder,
        call_endpoint="serve",
        call_training_endpoint=endpoint,
        trainable=trainable,
        dtype="float32",
    )


def native(folder: str) -> keras.Model:
    return keras.saving.load_model(pathlib.Path(folder) / "backbone.keras")


def fit(backbone, images: np.ndarray, optimizer: keras.optimizers.Optimizer, build: bool):
    """Changes after a fit: of weights, of statistics."""
    inputs = keras.Input(images.shape[1:])
    pooled = keras.layers.GlobalAveragePooling2D()(backbone(inputs)["P3"])
    model = keras.Model(inputs, keras.layers.Dense(2)(pooled))
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    if build:
        optimizer.build(model.trainable_variables)
    before = [variable.numpy() for variable in backbone.weights]
    try:
        model.fit(images, np.arange(len(images)) % 2, verbose=0)
    except ValueError as error:
        return str(error)
    moved = {"weights": [], "statistics": []}
    for old, variable in zip(before, backbone.weights, strict=True):
        kind = "statistics" if "moving_" in variable.path else "weights"
        moved[kind].append(float(np.abs(old - variable.numpy()).max()))
    return {kind: [min(changes), max(changes), len(changes)] for kind, changes in moved.items()}


def main(folder: str, path: str, *names: str) -> None:
    sys.modules["harl_tf"] = None  # any import of it fails
    data = np.load(path)
    images = data["images"]
    found = {}
    for route, load in {"native": native, "saved_model": saved_model}.items():
        features = load(folder)(images)
        found[route] = max(float(np.abs(features[name] - data[name]).max()) for name in features)
        for name in names:
            build = route == "saved_model"
            found[f"{route} {name}"] = fit(load(folder), images, OPTIMIZERS[name](), build)
    for name, layer in {
        "frozen": saved_model(folder, None, trainable=False),
        "serve only": saved_model(folder, None),
        "trainable false only": saved_model(folder, trainable=False),
    }.items():
        found[name] = fit(layer, images, keras.optimizers.AdamW(), build=True)
    found["not built"] = fit(saved_model(folder), images, keras.optimizers.AdamW(), build=False)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
