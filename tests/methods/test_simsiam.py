"""SimSiam's loss as the model puts it together, against the float64 reference."""

import keras
import pytest

import harl_tf
from tests.methods import by_hand as hand
from tests.reference.bootstrap_numpy import cosine_distance


@pytest.mark.parametrize("training", [False, True])
def test_simsiam_loss_is_the_papers_plus_one(training):
    """Eq. 4 is D(p1, z2)/2 + D(p2, z1)/2 with D = -cos, so plus 1 it is the mean of 1 - cos."""
    keras.config.set_dtype_policy("float64")
    model = hand.scatter(harl_tf.SimSiam(hand.two_convolutions(), 6, 3))
    views = hand.make_views()
    branch = model.branches["instance"]
    pooled = hand.pooled(hand.maps_of(model.backbone, views))
    embeddings = hand.heads(branch.projector, pooled, training)
    predictions = hand.heads(branch.predictor, embeddings, training)
    minus_cosines = [
        cosine_distance(predictions[v], embeddings[1 - v]).mean() / 2 - 1 for v in (0, 1)
    ]
    loss = model.loss_terms(*views, training=training)["loss"]
    assert abs(float(loss) - (sum(minus_cosines) / 2 + 1)) <= 1e-6
