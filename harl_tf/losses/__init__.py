"""The losses as pure functions of tensors: no layers, no variables, no models."""

from harl_tf.losses.cell_positions import cell_distance as cell_distance
from harl_tf.losses.cell_regions import CellLabels as CellLabels
from harl_tf.losses.cell_regions import cell_labels as cell_labels
from harl_tf.losses.cosine import cosine_distance as cosine_distance
from harl_tf.losses.densecl import dense_contrast as dense_contrast
from harl_tf.losses.densecl import match_cells as match_cells
from harl_tf.losses.detcon import region_contrast as region_contrast
from harl_tf.losses.example_losses import ExampleLosses as ExampleLosses
from harl_tf.losses.hapicl import Prototypes as Prototypes
from harl_tf.losses.hapicl import foreground_prototypes as foreground_prototypes
from harl_tf.losses.hapicl import pixel_contrast as pixel_contrast
from harl_tf.losses.hapicl_pooled import pixel_contrast_per_batch as pixel_contrast_per_batch
from harl_tf.losses.hapicl_pooled import pixel_contrast_per_image as pixel_contrast_per_image
from harl_tf.losses.masked_pooling import RegionAverage as RegionAverage
from harl_tf.losses.masked_pooling import region_average as region_average
from harl_tf.losses.moco import momentum_contrast as momentum_contrast
from harl_tf.losses.normalize import l2_normalize as l2_normalize
from harl_tf.losses.pixpro import pixel_consistency as pixel_consistency
from harl_tf.losses.pixpro import pixel_propagation as pixel_propagation
from harl_tf.losses.simclr import nt_xent as nt_xent
