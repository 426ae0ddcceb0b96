"""``python -m harl_tf pretrain``."""

from harl_tf.commands.pretraining.arguments import add_pretrain as add_pretrain
