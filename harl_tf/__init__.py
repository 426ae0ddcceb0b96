"""Self-supervised visual pretraining guided by heuristic foreground masks, for Keras 3."""

from importlib.metadata import version

from harl_tf import callbacks as callbacks
from harl_tf import data as data
from harl_tf import evaluation as evaluation
from harl_tf import export as export
from harl_tf import layers as layers
from harl_tf import losses as losses
from harl_tf import models as models
from harl_tf import visualization as visualization
from harl_tf.export import export_backbone as export_backbone
from harl_tf.export import load_backbone as load_backbone
from harl_tf.models import HAPiCL as HAPiCL

__version__ = version("harl_tf")
