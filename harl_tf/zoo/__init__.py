"""Loading pretrained backbones as Keras layers: our exports, and weights from elsewhere."""

from harl_tf.zoo.loader import load_backbone as load_backbone
from harl_tf.zoo.presets import Preset as Preset
from harl_tf.zoo.presets import list_presets as list_presets
from harl_tf.zoo.sources import StartError as StartError
from harl_tf.zoo.start import Start as Start
from harl_tf.zoo.start import open_backbone as open_backbone
from harl_tf.zoo.start import open_start as open_start
from harl_tf.zoo.values import VALUES as VALUES
from harl_tf.zoo.values import Values as Values
