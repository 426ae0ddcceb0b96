"""Callbacks for ``fit``: checkpoints to resume from, a kNN probe and an epoch log."""

from harl_tf.callbacks.checkpoint import Checkpoint as Checkpoint
from harl_tf.callbacks.checkpoint import ResumeError as ResumeError
from harl_tf.callbacks.epoch_log import EpochLog as EpochLog
from harl_tf.callbacks.knn_probe import KNNProbe as KNNProbe
