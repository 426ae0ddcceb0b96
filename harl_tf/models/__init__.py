"""Pretraining methods as Keras models, their branches, and the backbones they train."""

from harl_tf.models.backbones import feature_pyramid as feature_pyramid
from harl_tf.models.backbones import rebuild as rebuild
from harl_tf.models.backbones import resnet as resnet
from harl_tf.models.branch import Branch as Branch
from harl_tf.models.branch import BranchLoss as BranchLoss
from harl_tf.models.byol import BYOL as BYOL
from harl_tf.models.byol import Bootstrap as Bootstrap
from harl_tf.models.densecl import DenseCL as DenseCL
from harl_tf.models.densecl import DenseContrast as DenseContrast
from harl_tf.models.detcon import DetCon as DetCon
from harl_tf.models.detcon import RegionContrast as RegionContrast
from harl_tf.models.forward import Forward as Forward
from harl_tf.models.forward import View as View
from harl_tf.models.hapicl import HAPiCL as HAPiCL
from harl_tf.models.harl import HARL as HARL
from harl_tf.models.harl import RegionBootstrap as RegionBootstrap
from harl_tf.models.moco_v2 import MoCoV2 as MoCoV2
from harl_tf.models.moco_v2 import MomentumContrast as MomentumContrast
from harl_tf.models.pixel_branch import PixelContrastBranch as PixelContrastBranch
from harl_tf.models.pixpro import PixelPropagation as PixelPropagation
from harl_tf.models.pixpro import PixPro as PixPro
from harl_tf.models.pretraining import Pretraining as Pretraining
from harl_tf.models.simclr import InstanceContrast as InstanceContrast
from harl_tf.models.simclr import SimCLR as SimCLR
from harl_tf.models.simsiam import Siamese as Siamese
from harl_tf.models.simsiam import SimSiam as SimSiam
