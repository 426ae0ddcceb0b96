"""Formulas that went wrong in published code, each held against the property it breaks.

Owns what the tests share: a network whose cells see nothing but their own pixels, and views of it.
The table of all defects is in ``README.md``.
"""

import keras
import numpy as np
import tensorflow as tf

import harl_tf
from harl_tf.pretraining import View

CELL = 8
"""Pixels of a cell's side in ``cellwise_pyramid``."""


def cellwise_pyramid() -> keras.Model:
    """One convolution without overlap: changing a pixel changes one cell and no other."""
    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    maps = {"P1": keras.layers.Conv2D(6, CELL, strides=CELL)(x)}
    return keras.Model(image, maps)


def cellwise_harl(**settings) -> harl_tf.HARL:
    """HARL on the network above; evaluated, every row is by itself."""
    keras.utils.set_random_seed(0)
    return harl_tf.HARL(cellwise_pyramid(), projection_units=8, hidden_units=16, **settings)


def two_views(batch: int = 3, seed: int = 0) -> tuple[View, View]:
    """Random images of 4×4 cells; the upper half of each is foreground."""
    images = np.random.default_rng(seed).uniform(0, 255, (2, batch, 4 * CELL, 4 * CELL, 3))
    masks = np.zeros(images.shape[:-1], np.uint8)
    masks[:, :, : 2 * CELL] = 1
    first, second = (
        View(tf.constant(images[v], tf.float32), tf.constant(masks[v])) for v in (0, 1)
    )
    return first, second


def unit_rows(*shape: int, seed: int = 0) -> tf.Tensor:
    """Random directions ``shape``, float32."""
    rows = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return harl_tf.losses.l2_normalize(tf.constant(rows))


def per_replica(strategy: tf.distribute.Strategy, rows: np.ndarray):
    """Deals the rows of an array out to the replicas, in order."""
    parts = np.split(rows, strategy.num_replicas_in_sync)
    return strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(parts[context.replica_id_in_sync_group])
    )
