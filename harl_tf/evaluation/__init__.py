"""How good a backbone's features are, without training it further."""

from harl_tf.evaluation.embed import Embedder as Embedder
from harl_tf.evaluation.knn import knn_accuracy as knn_accuracy
from harl_tf.evaluation.knn import knn_score as knn_score
from harl_tf.evaluation.labels import check_images as check_images
from harl_tf.evaluation.labels import check_labels as check_labels
from harl_tf.evaluation.linear import linear_accuracy as linear_accuracy
from harl_tf.evaluation.linear import linear_score as linear_score
from harl_tf.evaluation.rank import effective_rank as effective_rank
from harl_tf.evaluation.score import Score as Score
from harl_tf.evaluation.similarity import SimilarityMaps as SimilarityMaps
from harl_tf.evaluation.similarity import similarity_maps as similarity_maps
