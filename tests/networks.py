"""Networks small enough for tests."""

import keras

import harl_tf


def tiny_pyramid() -> keras.Model:
    """Three strided convolutions with batch normalisation: a cell per 8 pixels, 16 channels."""
    image = keras.Input((None, None, 3))
    maps, x = {}, image
    for index, channels in enumerate((8, 8, 16), start=1):
        x = keras.layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
        maps[f"P{index}"] = x
    return harl_tf.models.feature_pyramid(keras.Model(image, maps))


def tiny_hapicl(seed: int = 0, **settings) -> harl_tf.HAPiCL:
    """HAPiCL on the network above, the same weights for the same seed, compiled."""
    keras.utils.set_random_seed(seed)
    instance = harl_tf.models.InstanceContrast(projection_units=16, hidden_units=32)
    arguments = {"instance": instance, "hidden_units": 32, "pixel_units": 16} | settings
    model = harl_tf.HAPiCL(tiny_pyramid(), **arguments)
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9))
    return model
