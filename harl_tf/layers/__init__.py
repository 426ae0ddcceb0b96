"""Layers that Keras does not have: fused batch normalisation, batched colours, a queue of keys."""

from harl_tf.layers.batch_normalization import FusedBatchNormalization as FusedBatchNormalization
from harl_tf.layers.color_presets import byol_colours as byol_colours
from harl_tf.layers.color_presets import moco_colour as moco_colour
from harl_tf.layers.color_presets import simclr_colour as simclr_colour
from harl_tf.layers.key_queue import KeyQueue as KeyQueue
from harl_tf.layers.random_color import RandomColour as RandomColour
