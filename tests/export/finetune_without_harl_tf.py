"""Fine-tunes an exported backbone with plain Keras, harl_tf being out of reach.

Arguments: the backbone's folder and a ``.npz`` with images and the exporting model's features.
Prints the largest difference of the features, and how far ``fit`` moved weights and statistics.
"""

import sys

import keras
import numpy as np


def main(folder: str, path: str) -> None:
    sys.modules["harl_tf"] = None  # any import of it fails
    data = np.load(path)
    backbone = keras.layers.TFSMLayer(
        folder, call_endpoint="serve", call_training_endpoint="serve_training", dtype="float32"
    )
    images = keras.Input(data["images"].shape[1:])
    maps = backbone(images)
    features = backbone(data["images"])
    difference = max(float(np.abs(features[name] - data[name]).max()) for name in features)
    outputs = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(maps["P3"]))
    model = keras.Model(images, outputs)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = [variable.numpy() for variable in backbone.weights]
    trainable = {id(variable) for variable in backbone.trainable_weights}
    model.fit(data["images"], np.arange(len(data["images"])) % 2, verbose=0)
    moved = {True: [], False: []}
    for old, variable in zip(before, backbone.weights, strict=True):
        change = np.abs(old - variable.numpy()).max()
        moved[id(variable) in trainable].append(float(change))
    print(difference, min(moved[True]), min(moved[False]), len(moved[True]), len(moved[False]))


if __name__ == "__main__":
    main(*sys.argv[1:])
