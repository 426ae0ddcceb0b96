"""SimCLR's two scaling rules by hand."""

import math

import pytest

from harl_tf.schedules import linear_scaling, sqrt_scaling


@pytest.mark.parametrize(("batch_size", "expected"), [(256, 0.3), (128, 0.15), (4096, 4.8)])
def test_linear_scaling_is_proportional_to_the_batch(batch_size, expected):
    """0.3 at 256, half of it at half the batch, 16 times as much at 4096."""
    assert linear_scaling(0.3, batch_size) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("batch_size", "expected"), [(1, 0.075), (256, 1.2), (4096, 4.8)])
def test_sqrt_scaling_is_proportional_to_the_root_of_the_batch(batch_size, expected):
    """0.075 times 1, 16 and 64."""
    assert sqrt_scaling(0.075, batch_size) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("scaling", [linear_scaling, sqrt_scaling])
@pytest.mark.parametrize("base_rate", [0.0, -0.3, math.inf, math.nan])
def test_scaling_base_rate_out_of_range(scaling, base_rate):
    with pytest.raises(ValueError, match=r"Expected a finite base_rate > 0. Received: base_rate="):
        scaling(base_rate, 256)


@pytest.mark.parametrize("scaling", [linear_scaling, sqrt_scaling])
def test_scaling_batch_size_out_of_range(scaling):
    with pytest.raises(ValueError, match=r"Expected batch_size >= 1. Received: batch_size=0"):
        scaling(0.3, 0)
