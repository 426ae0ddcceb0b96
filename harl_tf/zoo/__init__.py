"""Loading pretrained backbones as Keras layers."""

from harl_tf.zoo.loader import load_backbone as load_backbone
