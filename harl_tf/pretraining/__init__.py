"""The engine that all methods share: a backbone, branches on it, two views, one step.

A method of your own needs only the names exported here: a ``Branch`` with heads from ``mlp_head``,
features from ``select_map``, ``pooled``, ``as_cells`` and ``on_cells``, and a ``BranchOutput`` of
``LossTerm``. ``docs/your_own_method.md`` builds one from scratch.
"""

from harl_tf.pretraining.branch import Branch as Branch
from harl_tf.pretraining.branch_output import EMBEDDING_METRICS as EMBEDDING_METRICS
from harl_tf.pretraining.branch_output import BranchOutput as BranchOutput
from harl_tf.pretraining.branch_output import LossTerm as LossTerm
from harl_tf.pretraining.branch_output import embedding_metrics as embedding_metrics
from harl_tf.pretraining.feature_maps import Level as Level
from harl_tf.pretraining.feature_maps import as_cells as as_cells
from harl_tf.pretraining.feature_maps import channels as channels
from harl_tf.pretraining.feature_maps import on_cells as on_cells
from harl_tf.pretraining.feature_maps import pooled as pooled
from harl_tf.pretraining.feature_maps import select_map as select_map
from harl_tf.pretraining.fitting.lost_worker import WorkerLostError as WorkerLostError
from harl_tf.pretraining.forward import Forward as Forward
from harl_tf.pretraining.forward import View as View
from harl_tf.pretraining.heads import mlp_head as mlp_head
from harl_tf.pretraining.model import Pretraining as Pretraining
from harl_tf.pretraining.noise import example_noise as example_noise
