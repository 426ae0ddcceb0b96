"""Runs on disk: the settings a run started with, its log and its results."""

from harl_tf.runs.folder import RunError as RunError
from harl_tf.runs.folder import RunFolder as RunFolder
