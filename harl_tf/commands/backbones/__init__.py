"""What the command line does with trained backbones: evaluate, export, classify, predict."""

from harl_tf.commands.backbones.arguments import add_classify as add_classify
from harl_tf.commands.backbones.arguments import add_evaluate as add_evaluate
from harl_tf.commands.backbones.arguments import (
    add_evaluate_segmentation as add_evaluate_segmentation,
)
from harl_tf.commands.backbones.arguments import add_export as add_export
from harl_tf.commands.backbones.arguments import add_predict as add_predict
