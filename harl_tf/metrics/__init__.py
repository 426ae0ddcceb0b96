"""Metrics that answer "is it learning?" from a batch's embeddings; no gradient, no state."""

from harl_tf.metrics.embeddings import alignment as alignment
from harl_tf.metrics.embeddings import contrastive_accuracy as contrastive_accuracy
from harl_tf.metrics.embeddings import embedding_std as embedding_std
from harl_tf.metrics.embeddings import uniformity as uniformity
from harl_tf.metrics.views import foreground_share as foreground_share
from harl_tf.metrics.views import lost_region_share as lost_region_share
