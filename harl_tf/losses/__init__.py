"""The objectives as functions of tensors; no layer, no variable, no model."""

from harl_tf.losses.cell_labels import CellLabels as CellLabels
from harl_tf.losses.cell_labels import cell_labels as cell_labels
from harl_tf.losses.normalize import l2_normalize as l2_normalize
from harl_tf.losses.nt_xent import nt_xent as nt_xent
from harl_tf.losses.pixel_contrast import PixelContrast as PixelContrast
from harl_tf.losses.pixel_contrast import pixel_contrast as pixel_contrast
