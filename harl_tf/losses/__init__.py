"""The objectives as functions of tensors; no layer, no variable, no model."""

from harl_tf.losses.cell_distance import cell_distance as cell_distance
from harl_tf.losses.cell_labels import CellLabels as CellLabels
from harl_tf.losses.cell_labels import cell_labels as cell_labels
from harl_tf.losses.cosine_distance import cosine_distance as cosine_distance
from harl_tf.losses.dense_contrast import dense_contrast as dense_contrast
from harl_tf.losses.dense_contrast import match_cells as match_cells
from harl_tf.losses.momentum_contrast import momentum_contrast as momentum_contrast
from harl_tf.losses.normalize import l2_normalize as l2_normalize
from harl_tf.losses.nt_xent import nt_xent as nt_xent
from harl_tf.losses.pixel_contrast import PixelContrast as PixelContrast
from harl_tf.losses.pixel_contrast import Prototypes as Prototypes
from harl_tf.losses.pixel_contrast import foreground_prototypes as foreground_prototypes
from harl_tf.losses.pixel_contrast import pixel_contrast as pixel_contrast
from harl_tf.losses.pixel_contrast_pooled import (
    pixel_contrast_per_batch as pixel_contrast_per_batch,
)
from harl_tf.losses.pixel_contrast_pooled import (
    pixel_contrast_per_image as pixel_contrast_per_image,
)
from harl_tf.losses.pixel_propagation import PixelConsistency as PixelConsistency
from harl_tf.losses.pixel_propagation import pixel_consistency as pixel_consistency
from harl_tf.losses.pixel_propagation import pixel_propagation as pixel_propagation
from harl_tf.losses.region_average import RegionAverage as RegionAverage
from harl_tf.losses.region_average import region_average as region_average
from harl_tf.losses.region_contrast import region_contrast as region_contrast
