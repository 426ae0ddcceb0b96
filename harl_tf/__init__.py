"""Self-supervised visual pretraining guided by heuristic foreground masks, for Keras 3."""

from importlib.metadata import version

from harl_tf import onednn as onednn

# isort: split
import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"Expected Keras on TensorFlow. Received: {keras.backend.backend()!r}. Set the environment "
        "variable KERAS_BACKEND=tensorflow, or change it in keras.json."
    )

# isort: split
# These imports load TensorFlow, so they must come after harl_tf.onednn.
from harl_tf import backbones as backbones
from harl_tf import callbacks as callbacks
from harl_tf import data as data
from harl_tf import evaluation as evaluation
from harl_tf import export as export
from harl_tf import layers as layers
from harl_tf import losses as losses
from harl_tf import methods as methods
from harl_tf import metrics as metrics
from harl_tf import optimizers as optimizers
from harl_tf import pretraining as pretraining
from harl_tf import recipes as recipes
from harl_tf import reports as reports
from harl_tf import runs as runs
from harl_tf import schedules as schedules
from harl_tf import zoo as zoo
from harl_tf.export import export_backbone as export_backbone
from harl_tf.methods import BYOL as BYOL
from harl_tf.methods import HARL as HARL
from harl_tf.methods import DenseCL as DenseCL
from harl_tf.methods import DetCon as DetCon
from harl_tf.methods import HAPiCL as HAPiCL
from harl_tf.methods import MoCoV2 as MoCoV2
from harl_tf.methods import PixPro as PixPro
from harl_tf.methods import SimCLR as SimCLR
from harl_tf.methods import SimSiam as SimSiam
from harl_tf.zoo import list_presets as list_presets
from harl_tf.zoo import load_backbone as load_backbone

__version__ = version("harl_tf")
