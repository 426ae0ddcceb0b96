"""What both probes refuse."""

import numpy as np
import pytest

from harl_tf.evaluation import knn_accuracy, knn_score, linear_accuracy, linear_score

VECTORS, LABELS = np.random.default_rng(0).normal(size=(6, 4)), np.arange(6) % 2
BROKEN = np.where(np.arange(24).reshape(6, 4) == 9, np.nan, VECTORS)


@pytest.mark.parametrize("probe", [knn_accuracy, knn_score, linear_accuracy, linear_score])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((BROKEN, LABELS, VECTORS, LABELS), "train_vectors of finite.*NaN or infinity in 1 of 6"),
        ((VECTORS, LABELS, BROKEN, LABELS), "test_vectors of finite"),
        ((VECTORS, LABELS, VECTORS[:, :3], LABELS), "same length. Received: 4 and 3"),
        ((VECTORS, LABELS[:5], VECTORS, LABELS), "as many train_labels as train_vectors.* 5 and 6"),
        ((VECTORS[:0], LABELS[:0], VECTORS, LABELS), "training and test vectors. Received: 0 and"),
        ((VECTORS, LABELS, VECTORS[0], LABELS[:4]), r"test_vectors of shape.*shape \(4,\)"),
        ((VECTORS, LABELS - 1, VECTORS, LABELS), "train_labels from 0"),
    ],
    ids=["nan", "test_nan", "lengths", "fewer_labels", "none", "one_vector", "negative"],
)
def test_data_that_no_probe_can_use_is_refused(probe, data, message):
    with pytest.raises(ValueError, match=message):
        probe(*data)
