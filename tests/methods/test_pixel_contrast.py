"""HAPiCL with each of its options as the model puts it together, against the float64 reference."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf import methods
from harl_tf.pretraining.noise import example_noise
from tests.methods import by_hand as hand
from tests.networks import hapicl, tiny_pyramid
from tests.reference import hapicl_numpy as ref
from tests.reference.cell_geometry_numpy import cell_distance
from tests.reference.cell_labels_numpy import region_labels
from tests.reference.numeric_gradient import numeric_gradient
from tests.reference.pooling_numpy import region_average
from tests.reference.simclr_numpy import nt_xent

PIXEL = {"projection_units": 4, "hidden_units": 6, "temperature": 0.15, "foreground_weight": 0.7}


def make_model(instance=None, **settings):
    keras.config.set_dtype_policy("float64")
    instance = instance or methods.InstanceContrast(**hand.SMALL, temperature=0.3)
    settings = PIXEL | settings
    if "reduction" in settings:  # which has no place for a weight
        del settings["foreground_weight"]
    model = hapicl(hand.two_convolutions(), instance, **settings)
    return hand.scatter(model)


def twice_as_fine(features):
    """2×2 cells to 4×4, bilinear with half-pixel centres: a quarter of the neighbor, at the rim
    nothing but the cell itself."""
    weights = np.array([[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])
    return np.einsum("ik,jl,bklc->bijc", weights, weights, features)


def feature_maps(network, views, level):
    maps = hand.maps_of(network, views)
    if isinstance(level, str):
        return [each[level] for each in maps]
    return [np.concatenate([m["P1"], twice_as_fine(m["P2"])], axis=-1) for m in maps]


def draw(labels, valid, regions, per_region, seeds):
    """Of every region the valid cells with the largest numbers, as many as there are."""
    noise = example_noise(seeds, labels.shape[1]).numpy()
    drawn = np.zeros_like(valid)
    for b in range(len(labels)):
        for region in range(regions):
            members = np.flatnonzero(valid[b] & (labels[b] == region))
            drawn[b, members[np.argsort(-noise[b, members])][:per_region]] = True
    return drawn


def pixel_loss(model, views):
    """The pixel loss from the model's feature maps, cell by cell."""
    branch = model.branches["pixel"]
    level, regions = branch.level or "P2", branch.regions
    maps = feature_maps(model.backbone, views, level)
    grid = hand.grid_of(maps[0])
    masks = [view.masks.numpy() for view in views]
    labels = [region_labels(m, grid, regions, branch.boundary_margin) for m in masks]
    ids, valid = ([each[part] for each in labels] for part in (0, 1))
    if branch.boundary_margin:
        assert not np.all(valid)
    if branch.cells_per_region:
        every = valid
        valid = [
            draw(ids[v], every[v], regions, branch.cells_per_region, views[v].seeds) for v in (0, 1)
        ]
        assert np.sum(valid) < np.sum(every)

    def embed(network, head):
        cells = [hand.cells_of(m) for m in feature_maps(network, views, level)]
        if branch.pool_regions:
            members = [np.eye(regions)[ids[v]] * valid[v][..., None] for v in (0, 1)]
            cells = [region_average(cells[v], members[v])[0] for v in (0, 1)]
        return [hand.head(head, each) for each in cells]

    queries = keys = embed(model.backbone, branch.pixel_head)
    if branch.momentum_keys:
        keys = embed(model.target_backbone, branch.targets["pixel_head"])
    if branch.pool_regions:  # from here on a region is a cell
        numbers = np.arange(regions)
        valid = [((ids[v][..., None] == numbers) & valid[v][..., None]).any(1) for v in (0, 1)]
        ids = [np.tile(numbers, (len(each), 1)) for each in ids]
    windows = [view.windows.numpy() for view in views]
    directions = []
    for q, k in ((0, 1), (1, 0)):
        both = queries[q], keys[k], ids[q], ids[k]
        if branch.reduction != "cell":
            pooled = {"image": ref.pixel_contrast_per_image, "batch": ref.pixel_contrast_per_batch}
            directions.append(pooled[branch.reduction](*both, branch.temperature).mean())
            continue
        near = prototypes = strangers = None
        if branch.distance:
            near = cell_distance(windows[q], windows[k], grid, grid) < branch.distance
            assert 0 < near.mean() < 1
        if branch.prototypes:
            prototypes, _, strangers = ref.foreground_prototypes(keys[k], ids[k], valid[k])
            assert strangers.any()
        loss, counted = ref.pixel_contrast(
            *both,
            valid[q],
            valid[k],
            branch.temperature,
            branch.foreground_weight,
            near,
            prototypes,
            strangers,
        )
        assert counted.any()
        directions.append(loss.sum() / max(counted.sum(), 1))
    return float(np.mean(directions))


OPTIONS = {
    "plain": {},
    "finer": {"level": "P1"},
    "fused": {"level": ("P2", "P1")},
    "margin": {"level": "P1", "boundary_margin": 0.15},
    "momentum_keys": {"momentum_keys": True},
    "distance": {"level": "P1", "distance": 0.7},
    "prototypes": {"prototypes": True},
    "three_regions": {"level": "P1", "regions": 3},
    "sampled": {"level": "P1", "cells_per_region": 3},
    "sampled_three_regions": {"level": "P1", "regions": 3, "cells_per_region": 2},
    "sampled_near": {"level": "P1", "cells_per_region": 6, "distance": 1.5},
    "sampled_prototypes": {"level": "P1", "cells_per_region": 3, "prototypes": True},
    "momentum_prototypes": {"momentum_keys": True, "prototypes": True},
    "everything": {
        "level": ("P1", "P2"),
        "regions": 3,
        "boundary_margin": 0.1,
        "cells_per_region": 3,
        "distance": 2.0,
        "prototypes": True,
        "momentum_keys": True,
    },
    "pooled_regions": {"level": "P1", "pool_regions": True},
    "pooled_three_regions": {"level": "P1", "pool_regions": True, "regions": 3, "prototypes": True},
    "per_image": {"level": "P1", "reduction": "image"},
    "per_batch": {"level": "P1", "reduction": "batch"},
    "per_image_momentum": {"reduction": "image", "momentum_keys": True},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_pixel_loss_with_options_agrees_with_the_reference(options):
    model, views = make_model(**options), hand.make_views(regions=options.get("regions", 2))
    expected = pixel_loss(model, views)
    assert expected > 0.01
    loss = model.loss_terms(*views, training=False)["loss_pixel"]
    assert abs(float(loss) - expected) <= 1e-6


INSTANCES = {
    "simclr": lambda: methods.InstanceContrast(**hand.SMALL, temperature=0.3),
    "moco": lambda: methods.MomentumContrast(**hand.QUEUED, symmetric=True),
    "byol": lambda: methods.Bootstrap(**hand.SMALL),
    "harl": lambda: methods.RegionBootstrap(0.7, 0.4, **hand.SMALL),
}


@pytest.mark.parametrize("name", INSTANCES)
def test_total_with_each_instance_branch_agrees_with_the_reference(name):
    """With a target network the pixel keys are its own, unless momentum_keys says otherwise."""
    model, views = make_model(INSTANCES[name](), pixel_weight=0.25), hand.make_views()
    branch = model.branches["instance"]
    assert model.branches["pixel"].momentum_keys == (name != "simclr")
    maps = hand.maps_of(model.backbone, views)
    pooled = hand.pooled(maps)
    if name == "simclr":
        instance = nt_xent(*hand.heads(branch.projector, pooled), 0.3).mean()
    else:
        targets = hand.maps_of(model.target_backbone, views)
        instance = {
            "moco": lambda: hand.moco_loss(branch, pooled, hand.pooled(targets), symmetric=True),
            "byol": lambda: hand.byol_loss(branch, pooled, hand.pooled(targets)),
            "harl": lambda: hand.harl_totals(branch, maps, targets, views, 0.7, 0.4).hybrid,
        }[name]()
    terms = model.loss_terms(*views, training=False)
    assert abs(float(terms["loss_instance"]) - instance) <= 1e-6
    assert abs(float(terms["loss"]) - (instance + 0.25 * pixel_loss(model, views))) <= 1e-6


def test_gradient_of_the_total_agrees_with_differences():
    """In one kernel of the pixel head, by central differences of the total itself."""
    model, views = make_model(), hand.make_views()
    kernel = model.branches["pixel"].pixel_head.trainable_variables[-2]

    def total(value):
        kernel.assign(value)
        return float(model.loss_terms(*views, training=True)["loss"])

    with tf.GradientTape() as tape:
        loss = model.loss_terms(*views, training=True)["loss"]
    gradient = tape.gradient(loss, kernel.value)
    expected = numeric_gradient(total, kernel.numpy())
    assert np.abs(expected).max() > 1e-4
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-6)


def test_weights_may_be_schedules_of_the_optimizers_step():
    """Half-way of a cosine from 0.5 to 1 α is 0.75, from 1 to 0 the weight of the pixels is 0.5."""
    cosine, views = harl_tf.schedules.Cosine, hand.make_views()
    model = make_model(foreground_weight=cosine(0.5, 1.0, 10), pixel_weight=cosine(1.0, 0.0, 10))
    model.compile(keras.optimizers.SGD(0.1))
    model.optimizer.iterations.assign(5)
    terms = model.loss_terms(*views, training=False)
    model.branches["pixel"].foreground_weight = 0.75
    expected = pixel_loss(model, views)
    assert abs(float(terms["loss_pixel"]) - expected) <= 1e-6
    assert abs(float(terms["loss"] - terms["loss_instance"]) - 0.5 * expected) <= 1e-6


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0}, r"temperature > 0\. Received: temperature=0"),
        ({"foreground_weight": 1.2}, r"foreground_weight within \[0, 1\]\. Received: .*=1\.2"),
        ({"foreground_weight": -0.1}, r"foreground_weight within \[0, 1\]\. Received: .*=-0\.1"),
        ({"reduction": "sum"}, r'"cell", "image" or "batch"\. Received: reduction=\'sum\''),
        ({"distance": 0.0}, r"distance > 0, or None\. Received: distance=0\.0"),
        ({"boundary_margin": 0.6}, r"boundary_margin within \[0, 0\.5\]\. Received: .*=0\.6"),
        ({"cells_per_region": 0}, r"cells_per_region ≥ 1, or None\. Received: .*=0"),
        ({"regions": 1}, r"regions ≥ 2\. Received: regions=1"),
        ({"momentum_keys": True, "momentum": 1.5}, r"momentum within \[0, 1\].*momentum=1\.5"),
        ({"level": "P5"}, r"level in \['P1', 'P2'\]\. Received: level='P5'"),
        ({"level": ("P1", "P5")}, r"level in \['P1', 'P2'\]\. Received: level=\('P1', 'P5'\)"),
        ({"level": ()}, r"level in \['P1', 'P2'\]\. Received: level=\(\)"),
    ],
)
def test_setting_out_of_range_is_refused_when_the_model_is_made(settings, message):
    with pytest.raises(ValueError, match=message):
        hapicl(hand.two_convolutions(), **settings)


@pytest.mark.parametrize(
    ("by", "option"),
    [
        *(
            ({"reduction": "image"}, option)
            for option in (
                {"boundary_margin": 0.1},
                {"cells_per_region": 4},
                {"distance": 0.7},
                {"prototypes": True},
                {"pool_regions": True},
            )
        ),
        ({"reduction": "batch"}, {"prototypes": True}),
        ({"pool_regions": True}, {"cells_per_region": 4}),
        ({"pool_regions": True}, {"distance": 0.7}),
    ],
)
def test_options_that_do_not_go_together_are_refused(by, option):
    (name, value), *_ = option.items()
    with pytest.raises(ValueError, match=rf"Expected no {name} with .*Received: {name}={value}"):
        hapicl(hand.two_convolutions(), **by, **option)


def test_more_cells_than_the_map_has_are_refused():
    model = make_model(cells_per_region=5)
    with pytest.raises(ValueError, match=r"within \[1, 4\], the cells.*cells_per_region=5"):
        model.loss_terms(*hand.make_views(), training=False)


def test_weight_that_a_reduction_has_no_place_for_is_refused():
    with pytest.raises(ValueError, match="Expected no foreground_weight with reduction='image'"):
        harl_tf.methods.PixelContrast(reduction="image", foreground_weight=0.7)
    harl_tf.methods.PixelContrast(reduction="image", foreground_weight=0.5)


def test_regions_of_the_model_are_those_of_its_branches():
    """Region 3 would be background, or the masks be refused, without a word."""
    assert harl_tf.HAPiCL(tiny_pyramid(), regions=4).branches["pixel"].regions == 4
    with pytest.raises(ValueError, match="Expected regions=4, the model's, of the branch 'pixel'"):
        harl_tf.HAPiCL(tiny_pyramid(), pixel=harl_tf.methods.PixelContrast(), regions=4)
    assert harl_tf.HARL(tiny_pyramid(), regions=4).regions == 4
