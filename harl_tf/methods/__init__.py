"""The pretraining methods, one file each: the Keras model and the branch with its objective."""

from harl_tf.methods.byol import BYOL as BYOL
from harl_tf.methods.byol import Bootstrap as Bootstrap
from harl_tf.methods.densecl import DenseCL as DenseCL
from harl_tf.methods.densecl import DenseContrast as DenseContrast
from harl_tf.methods.detcon import DetCon as DetCon
from harl_tf.methods.detcon import RegionContrast as RegionContrast
from harl_tf.methods.hapicl import HAPiCL as HAPiCL
from harl_tf.methods.harl import HARL as HARL
from harl_tf.methods.harl import RegionBootstrap as RegionBootstrap
from harl_tf.methods.moco_v2 import MoCoV2 as MoCoV2
from harl_tf.methods.moco_v2 import MomentumContrast as MomentumContrast
from harl_tf.methods.pixel_contrast import PixelContrast as PixelContrast
from harl_tf.methods.pixpro import PixelPropagation as PixelPropagation
from harl_tf.methods.pixpro import PixPro as PixPro
from harl_tf.methods.simclr import InstanceContrast as InstanceContrast
from harl_tf.methods.simclr import SimCLR as SimCLR
from harl_tf.methods.simsiam import Siamese as Siamese
from harl_tf.methods.simsiam import SimSiam as SimSiam
