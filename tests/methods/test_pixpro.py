"""PixPro's loss as the model puts it together, against the float64 reference."""

import keras
import numpy as np
import pytest

import harl_tf
from tests.methods import by_hand as hand
from tests.reference import pixel_propagation_numpy as ref
from tests.reference.cell_geometry_numpy import cell_distance


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("level", "sharpness"), [(None, 2.0), ("P1", 1.5)])
def test_pixpro_loss_agrees_with_the_reference(level, sharpness, training):
    """Projected cells, smoothed by their like, against the target's cells nearer than 0.7
    diagonals; the views of the last image are far apart, and it is left out."""
    keras.config.set_dtype_policy("float64")
    settings = {"level": level, "sharpness": sharpness, **hand.SMALL}
    model = hand.scatter(harl_tf.PixPro(hand.two_convolutions(), **settings))
    views, branch = hand.make_views(), model.branches["pixel"]
    maps = hand.maps_of(model.backbone, views), hand.maps_of(model.target_backbone, views)
    cells = [[hand.cells_of(each[level or "P2"]) for each in network] for network in maps]
    grid = hand.grid_of(maps[0][0][level or "P2"])
    embedded = hand.heads(branch.projector, cells[0], training)
    targets = hand.heads(branch.targets["projector"], cells[1], training)
    smoothed = [
        ref.pixel_propagation(x, hand.head(branch.transform, x), sharpness) for x in embedded
    ]
    windows = [view.windows.numpy() for view in views]
    expected = 0.0
    for own, other in ((0, 1), (1, 0)):
        near = cell_distance(windows[own], windows[other], grid, grid) < 0.7
        loss, counted = ref.pixel_consistency(smoothed[own], targets[other], near)
        assert counted.any()
        assert not counted[3]
        expected += loss.sum() / counted.sum()
    loss = model.loss_terms(*views, training=training)["loss"]
    assert abs(float(loss) - expected) <= 1e-6


def test_pixpro_batch_without_near_cells_has_no_loss():
    model = harl_tf.PixPro(hand.two_convolutions(), distance=1e-6, **hand.SMALL)
    views = hand.make_views()
    assert not np.any(
        cell_distance(views[0].windows.numpy(), views[1].windows.numpy(), (2, 2), (2, 2)) < 1e-6
    )
    assert float(model.loss_terms(*views, training=True)["loss"]) == 0.0


@pytest.mark.parametrize("argument", ["distance", "sharpness"])
def test_pixpro_setting_out_of_range_is_refused(argument):
    with pytest.raises(ValueError, match=rf"{argument} > 0\. Received: {argument}=0"):
        harl_tf.PixPro(hand.two_convolutions(), **{argument: 0})
