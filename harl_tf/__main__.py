"""``python -m harl_tf COMMAND``."""

import os
import sys

# Does not affect what TensorFlow logs while its libraries are being loaded.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from absl import logging

from harl_tf.commands import main, parse_arguments

if __name__ == "__main__":
    logging.set_verbosity(logging.WARNING)
    sys.exit(main(parse_arguments(sys.argv)))
