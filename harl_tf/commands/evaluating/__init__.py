"""What the command line measures of a backbone: classes, pixels, boxes."""

from harl_tf.commands.evaluating.arguments import add_evaluate as add_evaluate
from harl_tf.commands.evaluating.arguments import add_evaluate_detection as add_evaluate_detection
from harl_tf.commands.evaluating.arguments import (
    add_evaluate_segmentation as add_evaluate_segmentation,
)
from harl_tf.commands.evaluating.arguments import add_transfer as add_transfer
