"""Opens a preset with KerasHub, harl_tf being out of reach; prints the mean of the last map.

Arguments: the preset, and a ``.npy`` file of images.
"""

import json
import sys

import keras_hub
import numpy as np


def main(preset: str, path: str) -> None:
    sys.modules["harl_tf"] = None  # any import of it fails
    backbone = keras_hub.models.Backbone.from_preset(preset)
    converter = keras_hub.layers.ImageConverter.from_preset(preset)
    features = backbone(converter(np.load(path)))
    print(json.dumps(float(np.abs(np.asarray(features)).mean())))


if __name__ == "__main__":
    main(*sys.argv[1:])
