"""What a branch may return, and what becomes of it; the mean over replicas is in test_branch."""

import pytest
import tensorflow as tf

from harl_tf.pretraining import BranchOutput, LossTerm
from harl_tf.pretraining.branch_output import means


def test_terms_are_weighted_means_of_the_images_that_count():
    """(1 + 3) / 2, and a half of 5: the second image does not count in the second term."""
    terms = (
        LossTerm(tf.constant([1.0, 3.0])),
        LossTerm(tf.constant([5.0, 100.0]), tf.constant([True, False]), 0.5, "part"),
    )
    loss, reported = means("b", BranchOutput(terms), ("loss_part",), rows=2)
    assert float(loss) == 4.5
    assert float(reported["loss_part"]) == 5.0


def test_term_without_an_image_that_counts_is_zero():
    term = LossTerm(tf.constant([7.0]), tf.constant([False]))
    assert float(means("b", BranchOutput(term), ())[0]) == 0.0


def test_metrics_are_means_of_images_or_scalars():
    output = BranchOutput(
        LossTerm(tf.zeros(2)), {"each": tf.constant([1.0, 2.0]), "all": tf.constant(4.0)}
    )
    reported = means("b", output, ("each", "all"))[1]
    assert {name: float(value) for name, value in reported.items()} == {"each": 1.5, "all": 4.0}


@pytest.mark.parametrize(
    ("term", "received"),
    [
        (LossTerm(tf.constant(2.0)), r"shape \(\)"),
        (LossTerm(tf.zeros((4, 3))), r"shape \(4, 3\)"),
        (LossTerm(tf.zeros(8)), r"shape \(8,\)"),
        (LossTerm(tf.zeros(4), tf.zeros((4, 3), tf.bool)), r"shape \(4, 3\)"),
    ],
)
def test_what_is_not_one_value_an_image_is_refused(term, received):
    """A mean that each replica formed would count twice on two of them."""
    expected = r"every image, shape \(4,\), of the branch 'b'"
    with pytest.raises(ValueError, match=f"{expected}.*{received}"):
        means("b", BranchOutput(term), (), rows=4)


@pytest.mark.parametrize("promised", [(), ("other",), ("spread", "other")])
def test_other_metrics_than_promised_are_refused(promised):
    output = BranchOutput(LossTerm(tf.zeros(2)), {"spread": tf.constant(1.0)})
    with pytest.raises(ValueError, match=r"what its metric_names say.*Received: \['spread'\]"):
        means("b", output, promised)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_mean_of_values_in_half_precision_is_not_of_half_precision(dtype):
    """4,096 losses of 32 add up to 131,072, which float16 does not have; their mean is 32."""
    output = BranchOutput(
        LossTerm(tf.fill((4096,), tf.cast(32, dtype))), {"each": tf.ones(4, dtype)}
    )
    loss, reported = means("b", output, ("each",))
    assert loss.dtype == reported["each"].dtype == tf.float32
    assert float(loss) == 32.0
