"""What the command line does with trained backbones: export, classify, predict."""

from harl_tf.commands.backbones.arguments import add_classify as add_classify
from harl_tf.commands.backbones.arguments import add_export as add_export
from harl_tf.commands.backbones.arguments import add_predict as add_predict
