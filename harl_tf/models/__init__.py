"""Pretraining methods as Keras models, and the backbones they train."""

from harl_tf.models.backbones import feature_pyramid as feature_pyramid
from harl_tf.models.backbones import rebuild as rebuild
from harl_tf.models.backbones import resnet as resnet
from harl_tf.models.hapicl import HAPiCL as HAPiCL
from harl_tf.models.pretraining import Pretraining as Pretraining
