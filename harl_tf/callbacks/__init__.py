"""Callbacks for ``fit``: checkpoints to resume from, probes, an epoch log and a verdict."""

from harl_tf.callbacks.epoch_log import EpochLog as EpochLog
from harl_tf.callbacks.knn_probe import KNNProbe as KNNProbe
from harl_tf.callbacks.labeled_probe import LabeledProbe as LabeledProbe
from harl_tf.callbacks.progress import Judgment as Judgment
from harl_tf.callbacks.progress import State as State
from harl_tf.callbacks.progress import judge as judge
from harl_tf.callbacks.rank_probe import RankProbe as RankProbe
from harl_tf.callbacks.saving.change import CHANGES as CHANGES
from harl_tf.callbacks.saving.checkpoint import Checkpoint as Checkpoint
from harl_tf.callbacks.saving.restoring import ResumeError as ResumeError
from harl_tf.callbacks.saving.saved import LOCK as LOCK
from harl_tf.callbacks.saving.saved import Position as Position
from harl_tf.callbacks.saving.saved import locked as locked
from harl_tf.callbacks.saving.saved import saved_in as saved_in
from harl_tf.callbacks.verdict import Verdict as Verdict
from mask_generation.lock import LockedError as LockedError
