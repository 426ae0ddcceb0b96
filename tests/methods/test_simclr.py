"""SimCLR's loss as the model puts it together, against the float64 reference."""

import keras
import pytest

import harl_tf
from tests.methods import by_hand as hand
from tests.reference.simclr_numpy import nt_xent


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("together", [True, False])
def test_simclr_loss_agrees_with_the_reference(training, together):
    """NT-Xent of the projected pooled last map; in training the batch statistics of the head are
    those of both views together, or of each."""
    keras.config.set_dtype_policy("float64")
    model = harl_tf.SimCLR(
        hand.two_convolutions(), **hand.SMALL, temperature=0.3, share_batch_statistics=together
    )
    views = hand.make_views()
    pooled = hand.pooled(hand.maps_of(hand.scatter(model).backbone, views))
    projector = model.branches["instance"].projector
    expected = nt_xent(*hand.heads(projector, pooled, training, together), 0.3).mean()
    loss = model.loss_terms(*views, training=training)["loss"]
    assert abs(float(loss) - expected) <= 1e-6


@pytest.mark.parametrize("temperature", [0.0, -0.1])
def test_simclr_temperature_out_of_range_is_refused(temperature):
    with pytest.raises(ValueError, match=rf"temperature > 0.*temperature={temperature}"):
        harl_tf.SimCLR(hand.two_convolutions(), temperature=temperature)
