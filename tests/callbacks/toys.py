"""A model, a stream and labeled pictures small enough for the tests of probes."""

import keras
import numpy as np
import tensorflow as tf

from harl_tf import HAPiCL
from harl_tf.layers import random_color
from harl_tf.methods import PixelContrast

SIZE = 8


def make_model():
    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 3))
    maps = keras.layers.Conv2D(4, 4, strides=4)(image / 255.0)
    model = HAPiCL(keras.Model(image, {"P1": maps}), pixel=PixelContrast(3, hidden_units=4))
    model.compile(keras.optimizers.SGD(0.05))
    return model


def make_stream():
    random = np.random.default_rng(0)
    batch = {}
    for v in (1, 2):
        batch[f"view{v}"] = random.integers(0, 256, (8, SIZE, SIZE, 3)).astype("uint8")
        batch[f"mask{v}"] = random.integers(0, 2, (8, SIZE, SIZE)).astype("uint8")
        batch[f"draws{v}"] = random.random((8, random_color.DRAWS), "float32")
    return tf.data.Dataset.from_tensor_slices(batch).batch(4, drop_remainder=True)


class Labeled:
    """Labeled batches that count how often they are read."""

    def __init__(self, seed):
        random = np.random.default_rng(seed)
        self.images = random.integers(0, 256, (6, SIZE, SIZE, 3)).astype("uint8")
        self.labels = np.arange(6) % 2
        self.reads = 0

    def __iter__(self):
        self.reads += 1
        return iter([(self.images[:4], self.labels[:4]), (self.images[4:], self.labels[4:])])


def fit(model, probe=None, epochs=1, **arguments):
    callbacks = [] if probe is None else [probe]
    settings = {"verbose": 0, **arguments}
    return model.fit(make_stream(), epochs=epochs, callbacks=callbacks, **settings).history
