"""LARS against Lightly's.

Three conventions differ and are brought together here:

- Lightly adapts what has weight decay, ours what has rank 2 or more: vectors are given to Lightly
  with a weight decay of 0.
- Lightly has the learning rate outside the momentum buffer: ``rate_in_momentum=False``, or a
  constant rate.
- Lightly divides by |gradient| + decay |w|, as the paper, ours by |gradient + decay w|, as SimCLR's
  TensorFlow code: the ratio of the two goes into Lightly's trust coefficient.
"""

import keras
import numpy as np
import pytest

from harl_tf.optimizers import LARS
from tests import peers

torch = pytest.importorskip("torch", reason=peers.NEEDED)
lightly_lars = pytest.importorskip("lightly.utils.lars", reason=peers.NEEDED)


def start():
    random = np.random.default_rng(0)
    return [random.normal(size=shape) for shape in [(5, 4), (3, 3, 2, 4), (4,)]]


def norm_ratio(weight, gradient, weight_decay):
    """Lightly's denominator over ours."""
    of_both = np.linalg.norm(gradient + weight_decay * weight)
    return (np.linalg.norm(gradient) + weight_decay * np.linalg.norm(weight)) / of_both


def assert_same_weights(rates, weight_decay, nesterov, rate_in_momentum):
    ours = [keras.Variable(weight, dtype="float64") for weight in start()]
    theirs = [torch.nn.Parameter(torch.tensor(weight)) for weight in start()]
    optimizer = LARS(
        rates[0], nesterov=nesterov, weight_decay=weight_decay, rate_in_momentum=rate_in_momentum
    )
    decays = [weight_decay if weight.ndim > 1 else 0.0 for weight in theirs]
    peer = lightly_lars.LARS(
        [
            {"params": [weight], "weight_decay": decay}
            for weight, decay in zip(theirs, decays, strict=True)
        ],
        lr=rates[0],
        momentum=0.9,
        nesterov=nesterov,
        eps=0.0,
    )
    random = np.random.default_rng(1)
    for rate in rates:
        gradients = [random.normal(size=weight.shape) for weight in start()]
        optimizer.learning_rate = rate
        optimizer.apply([keras.ops.convert_to_tensor(gradient) for gradient in gradients], ours)
        for weight, gradient, group in zip(theirs, gradients, peer.param_groups, strict=True):
            weight.grad = torch.tensor(gradient)
            ratio = norm_ratio(weight.detach().numpy(), gradient, group["weight_decay"])
            group.update(lr=rate, trust_coefficient=1e-3 * ratio)
        peer.step()
        for our_weight, their_weight in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(our_weight, their_weight.detach(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("rate_in_momentum", [True, False])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("weight_decay", [1e-6, 0.5])
def test_lars_agrees_with_lightly_at_a_constant_rate(weight_decay, nesterov, rate_in_momentum):
    """The rates are powers of two, which Keras keeps exactly in its float32."""
    assert_same_weights([0.5] * 6, weight_decay, nesterov, rate_in_momentum)


@pytest.mark.parametrize("nesterov", [False, True])
def test_lars_agrees_with_lightly_while_the_rate_changes(nesterov):
    rates = [0.125, 0.25, 0.5, 1.0, 0.5, 0.25]
    assert_same_weights(rates, 1e-6, nesterov, rate_in_momentum=False)


def test_lars_with_the_rate_in_the_buffer_disagrees_while_the_rate_changes():
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_same_weights([0.125, 1.0], 1e-6, nesterov=False, rate_in_momentum=True)
