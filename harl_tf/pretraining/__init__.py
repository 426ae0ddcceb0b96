"""The engine that all methods share: a backbone, branches on it, two views, one step."""

from harl_tf.pretraining.branch import Branch as Branch
from harl_tf.pretraining.branch import BranchLoss as BranchLoss
from harl_tf.pretraining.forward import Forward as Forward
from harl_tf.pretraining.forward import View as View
from harl_tf.pretraining.model import Pretraining as Pretraining
