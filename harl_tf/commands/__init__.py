"""The command line, ``python -m harl_tf``."""

from harl_tf.commands.parser import parse_arguments as parse_arguments
from harl_tf.commands.run_command import main as main
