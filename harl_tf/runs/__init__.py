"""Runs on disk: what a run was begun with, its log, and where its results lie."""

from harl_tf.runs.folder import RunError as RunError
from harl_tf.runs.folder import RunFolder as RunFolder
