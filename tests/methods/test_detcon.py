"""DetCon's loss as the model puts it together, against the float64 reference; its draws."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf.losses import cell_labels
from harl_tf.methods import RegionContrast
from harl_tf.pretraining import View
from harl_tf.pretraining.noise import example_noise
from tests.methods import by_hand as hand
from tests.reference.cell_labels_numpy import region_labels
from tests.reference.pooling_numpy import region_average
from tests.reference.region_contrast_numpy import region_contrast


def present_regions(view, regions):
    """Which regions are the largest of some cell (B, regions), and of which cells (B, N, R)."""
    labels, _ = region_labels(view.masks.numpy(), (2, 2), regions)
    members = np.eye(regions)[labels]
    return members.any(axis=1), members


def draw(present, seeds, count):
    """Largest Gumbel noise, -log(-log u), among the regions present; `count` times."""
    regions = present.shape[1]
    uniform = example_noise(seeds, count * regions).numpy().reshape(-1, count, regions)
    gumbel = -np.log(-np.log(uniform))
    return np.where(present[:, None], gumbel, -np.inf).argmax(axis=-1)


@pytest.mark.parametrize("regions", [2, 3])
def test_detcon_loss_agrees_with_the_reference(regions):
    keras.config.set_dtype_policy("float64")
    settings = {"regions": regions, "drawn_regions": 3, "temperature": 0.3}
    model = hand.scatter(harl_tf.DetCon(hand.two_convolutions(), **settings, **hand.SMALL))
    views, branch = hand.make_views(regions=regions), model.branches["regions"]
    predictions, targets, ids = [], [], []
    for view in views:
        present, members = present_regions(view, regions)
        drawn = draw(present, view.seeds, 3)
        maps = [net(view.images)["P2"].numpy() for net in (model.backbone, model.target_backbone)]
        vectors = [region_average(hand.cells_of(each), members)[0] for each in maps]
        online, target = (np.take_along_axis(v, drawn[..., None], axis=1) for v in vectors)
        predictions.append(hand.head(branch.predictor, hand.head(branch.projector, online)))
        targets.append(hand.head(branch.targets["projector"], target))
        ids.append(drawn)
    expected = region_contrast(*predictions, *targets, *ids, 0.3).mean()
    loss = model.loss_terms(*views, training=False)["loss"]
    assert abs(float(loss) - expected) <= 1e-6


def test_detcon_draws_regions_that_are_there_each_as_likely():
    """Regions 0 and 2 of three, drawn 16 times for 400 images: 3200 of 6400 each, ± 5 σ = 200."""
    masks = np.zeros((400, 12, 12), "uint8")
    masks[:, :6] = 2
    seeds = np.random.default_rng(0).integers(-(2**31), 2**31, (400, 2)).astype("int32")
    view = View(tf.zeros((400, 12, 12, 3)), tf.constant(masks), None, tf.constant(seeds))
    drawn = RegionContrast(regions=3)._draw(cell_labels(masks, (2, 2), regions=3), view).numpy()
    assert drawn.shape == (400, 16)
    counts = np.bincount(drawn.ravel(), minlength=3)
    assert counts[1] == 0
    assert abs(counts[0] - 3200) < 200


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"drawn_regions": 0}, r"drawn_regions ≥ 1\. Received: drawn_regions=0"),
        ({"regions": 1}, r"regions ≥ 2\. Received: regions=1"),
        ({"temperature": 0}, r"temperature > 0\. Received: temperature=0"),
        ({"level": "P9"}, r"level in \['P1', 'P2'\]\. Received: level='P9'"),
    ],
)
def test_detcon_setting_out_of_range_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        harl_tf.DetCon(hand.two_convolutions(), **settings)
