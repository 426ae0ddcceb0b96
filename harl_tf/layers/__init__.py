"""Layers that Keras does not have: fused batch normalisation and batched colour augmentation."""

from harl_tf.layers.batch_normalization import FusedBatchNormalization as FusedBatchNormalization
from harl_tf.layers.random_colour import RandomColour as RandomColour
