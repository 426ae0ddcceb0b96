"""Optimizers missing from Keras: LARS."""

from harl_tf.optimizers.lars import LARS as LARS
