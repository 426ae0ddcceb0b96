import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.pretraining.feature_maps import as_cells, channels, level_names, on_cells, select_map
from harl_tf.pretraining.heads import mlp_head

MAPS = {
    "P2": np.arange(16.0).reshape(1, 4, 4, 1).astype("float32"),
    "P3": np.array([[0, 8], [16, 24]], "float32").reshape(1, 2, 2, 1),
}


def test_fused_maps_are_the_finest_and_the_others_scaled_up_by_bilinear_interpolation():
    """By half-pixel centres 2 values a, b become a, 3a/4 + b/4, a/4 + 3b/4, b on either axis."""
    fused = select_map({key: tf.constant(value) for key, value in MAPS.items()}, ("P3", "P2"))
    np.testing.assert_array_equal(fused[..., :1], MAPS["P2"])
    rows = np.array([0, 4, 12, 16])
    np.testing.assert_allclose(fused[0, :, :, 1], rows[:, None] + rows[None] / 2)


@pytest.mark.parametrize(
    ("level", "names", "count"),
    [
        (None, ("P3",), 1),
        ("P2", ("P2",), 1),
        (("P3", "P2"), ("P2", "P3"), 2),
        (-2, ("P2",), 1),
        ((-1, 0, "P2"), ("P2", "P3"), 2),
    ],
)
def test_level_means_the_last_map_one_or_several_from_fine_to_coarse(level, names, count):
    assert level_names(MAPS, level) == names
    assert channels(MAPS, level) == count


@pytest.mark.parametrize("level", ["P9", ("P2", "P9"), (), 2, -3, (0, 2)])
def test_unknown_level_is_refused_with_those_there_are(level):
    with pytest.raises(ValueError, match=r"Expected level in \['P2', 'P3'\]\. Received: level="):
        level_names(MAPS, level)


def test_cells_are_in_row_major_order():
    assert as_cells(tf.constant(MAPS["P2"]))[0, :, 0].numpy().tolist() == list(range(16))


def test_head_on_cells_sees_every_cell_alone():
    """With moving statistics a cell's output is that of the cell by itself, up to rounding."""
    keras.config.set_dtype_policy("float64")
    head = mlp_head(3, 5, 2, "head")
    cells = np.random.default_rng(0).normal(size=(2, 6, 3))
    outputs = on_cells(head, tf.constant(cells), training=False)
    np.testing.assert_allclose(outputs[1, 4], head(cells[1:, 4])[0], rtol=1e-12)
