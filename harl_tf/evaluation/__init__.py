"""How good a backbone's features are, without training it further."""

from harl_tf.evaluation.embed import Embedder as Embedder
from harl_tf.evaluation.knn import knn_accuracy as knn_accuracy
