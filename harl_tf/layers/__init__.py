"""Layers missing from Keras: fused batch normalization, per-image colors, a queue of keys."""

from harl_tf.layers.batch_normalization import FusedBatchNormalization as FusedBatchNormalization
from harl_tf.layers.color_presets import byol_colors as byol_colors
from harl_tf.layers.color_presets import mild_color as mild_color
from harl_tf.layers.color_presets import moco_color as moco_color
from harl_tf.layers.color_presets import simclr_color as simclr_color
from harl_tf.layers.key_queue import KeyQueue as KeyQueue
from harl_tf.layers.random_color import RandomColor as RandomColor
