import keras
import pytest

from harl_tf.pretraining.heads import mlp_head


def kinds(head: keras.Sequential) -> list[str]:
    return [type(layer).__name__ for layer in head.layers]


def test_head_is_linear_normalized_rectified_linear():
    head = mlp_head(3, 5, 2, "projector")
    assert kinds(head) == ["Dense", "FusedBatchNormalization", "ReLU", "Dense"]
    assert [layer.use_bias for layer in head.layers if "Dense" in kinds_of(layer)] == [False, True]
    assert head.count_params() == 3 * 5 + 4 * 5 + 5 * 2 + 2


def kinds_of(layer) -> str:
    return type(layer).__name__


def test_head_without_normalization_has_biases_instead():
    head = mlp_head(3, 5, 2, "projector", batch_norm=False)
    assert kinds(head) == ["Dense", "ReLU", "Dense"]
    assert head.count_params() == 3 * 5 + 5 + 5 * 2 + 2


def test_head_of_three_layers_with_a_normalized_output():
    """SimSiam's: the last normalisation has no scale and no offset, two moving statistics."""
    head = mlp_head(3, (5, 5), 2, "projector", output_norm=True)
    assert kinds(head) == ["Dense", "FusedBatchNormalization", "ReLU"] * 2 + [
        "Dense",
        "FusedBatchNormalization",
    ]
    assert head.count_params() == 3 * 5 + 4 * 5 + 5 * 5 + 4 * 5 + 5 * 2 + 2 * 2


@pytest.mark.parametrize("rows", [1, 7])
def test_head_keeps_rows(rows):
    assert mlp_head(3, 5, 2, "projector")(keras.ops.ones((rows, 3))).shape == (rows, 2)
