"""The networks to pretrain: any KerasHub or Keras network with a dict of feature maps."""

from harl_tf.backbones.copying import rebuild as rebuild
from harl_tf.backbones.frozen import FrozenBatchNormalization as FrozenBatchNormalization
from harl_tf.backbones.hub import PyramidBackbone as PyramidBackbone
from harl_tf.backbones.levels import FeaturePyramid as FeaturePyramid
from harl_tf.backbones.pyramid import feature_pyramid as feature_pyramid
from harl_tf.backbones.resnets import resnet as resnet
from harl_tf.backbones.small_resnets import small_resnet as small_resnet
from harl_tf.backbones.strides import strides as strides
