"""Pictures of what a backbone has learnt."""

from harl_tf.visualization.page import Section as Section
from harl_tf.visualization.page import colour_map as colour_map
from harl_tf.visualization.page import write_page as write_page
from harl_tf.visualization.similarity_maps import SimilarityMaps as SimilarityMaps
from harl_tf.visualization.similarity_maps import similarity_maps as similarity_maps
