"""How good a backbone's features are, frozen: for classes, retrieval, segmentation, detection."""

from harl_tf.evaluation.classes.few_labels import few_labels as few_labels
from harl_tf.evaluation.classes.knn import knn_accuracy as knn_accuracy
from harl_tf.evaluation.classes.knn import knn_score as knn_score
from harl_tf.evaluation.classes.linear import LinearClassifier as LinearClassifier
from harl_tf.evaluation.classes.linear import linear_accuracy as linear_accuracy
from harl_tf.evaluation.classes.linear import linear_classifier as linear_classifier
from harl_tf.evaluation.classes.linear import linear_score as linear_score
from harl_tf.evaluation.classes.linear_sgd import linear_sgd_score as linear_sgd_score
from harl_tf.evaluation.classes.retrieval import retrieval_scores as retrieval_scores
from harl_tf.evaluation.classes.svm import svm_map as svm_map
from harl_tf.evaluation.datasets.annotated import Annotated as Annotated
from harl_tf.evaluation.datasets.annotated import Annotations as Annotations
from harl_tf.evaluation.datasets.coco import read_coco as read_coco
from harl_tf.evaluation.datasets.image_masks import ImageMasks as ImageMasks
from harl_tf.evaluation.datasets.image_masks import image_masks as image_masks
from harl_tf.evaluation.datasets.voc import read_voc as read_voc
from harl_tf.evaluation.dense.detection import Boxes as Boxes
from harl_tf.evaluation.dense.detection import Precision as Precision
from harl_tf.evaluation.dense.detection import average_precision as average_precision
from harl_tf.evaluation.dense.detection import boxes_of as boxes_of
from harl_tf.evaluation.dense.overlap import Overlap as Overlap
from harl_tf.evaluation.dense.overlap import confusion as confusion
from harl_tf.evaluation.dense.segmentation import segmentation_score as segmentation_score
from harl_tf.evaluation.evaluators import EVALUATORS as EVALUATORS
from harl_tf.evaluation.evaluators import Labeled as Labeled
from harl_tf.evaluation.evaluators import Measured as Measured
from harl_tf.evaluation.evaluators import evaluate as evaluate
from harl_tf.evaluation.features.embed import Embedder as Embedder
from harl_tf.evaluation.features.rank import effective_rank as effective_rank
from harl_tf.evaluation.features.similarity import SimilarityMaps as SimilarityMaps
from harl_tf.evaluation.features.similarity import similarity_maps as similarity_maps
from harl_tf.evaluation.fine_tuned.classifier import FineTuning as FineTuning
from harl_tf.evaluation.fine_tuned.detector import fine_tuned_detection as fine_tuned_detection
from harl_tf.evaluation.fine_tuned.detector import share_too_small as share_too_small
from harl_tf.evaluation.fine_tuned.heads import fresh_heads as fresh_heads
from harl_tf.evaluation.fine_tuned.segmenter import (
    fine_tuned_segmentation as fine_tuned_segmentation,
)
from harl_tf.evaluation.labels import check_images as check_images
from harl_tf.evaluation.labels import check_labels as check_labels
from harl_tf.evaluation.score import Score as Score
