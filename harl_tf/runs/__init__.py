"""Runs on disk: the settings a run started with, its log and its results."""

from harl_tf.runs.folder import CHANGEABLE as CHANGEABLE
from harl_tf.runs.folder import RunError as RunError
from harl_tf.runs.folder import RunFolder as RunFolder
from harl_tf.runs.parts import model_in_parts as model_in_parts
from harl_tf.runs.parts import optimizer_in_parts as optimizer_in_parts
