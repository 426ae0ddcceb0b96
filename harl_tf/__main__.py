"""``python -m harl_tf {pretrain,recipes}``."""

import os
import sys

# What TensorFlow logs while its libraries are loaded is written whatever this says.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from absl import logging

from harl_tf.commands import main, parse_arguments

if __name__ == "__main__":
    logging.set_verbosity(logging.WARNING)
    sys.exit(main(parse_arguments(sys.argv)))
