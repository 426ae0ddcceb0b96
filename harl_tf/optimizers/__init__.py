"""Optimizers that Keras does not have: LARS."""

from harl_tf.optimizers.lars import LARS as LARS
