"""From records to batches: the schema, paired views for pretraining, labeled images for probes."""

from harl_tf.data.color_in_stream import Colors as Colors
from harl_tf.data.geometry import RandomResizedCrop as RandomResizedCrop
from harl_tf.data.labeled import in_first_half as in_first_half
from harl_tf.data.labeled import in_second_half as in_second_half
from harl_tf.data.labeled import labeled_images as labeled_images
from harl_tf.data.manifest import Manifest as Manifest
from harl_tf.data.manifest import RecordsError as RecordsError
from harl_tf.data.manifest import read_manifest as read_manifest
from harl_tf.data.paired_views import PairedViews as PairedViews
