"""The effective rank of the features, from any source of images."""

import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf.callbacks import RankProbe
from harl_tf.evaluation import Embedder, effective_rank
from tests.callbacks.toys import Labeled, fit, make_model
from tests.networks import tiny_pyramid

IMAGES = Labeled(0).images


def rank_of(model, images=IMAGES):
    return effective_rank(Embedder(model.backbone).vectors([images]))


@pytest.mark.parametrize(
    "batches",
    [
        [IMAGES[:4], IMAGES[4:]],
        [(IMAGES, np.zeros(6))],
        [{"view1": IMAGES, "view2": 0 * IMAGES}],
        tf.data.Dataset.from_tensor_slices(IMAGES).batch(5),
    ],
    ids=["images", "labeled", "views", "dataset"],
)
def test_probe_logs_the_rank_of_the_current_features(batches):
    model = make_model()
    history = fit(model, RankProbe(batches), epochs=2)
    assert history["effective_rank"][-1] == pytest.approx(rank_of(model), rel=1e-5)
    assert 1 < history["effective_rank"][-1] < 4


def test_paired_views_are_read_for_one_pass(records):
    """12 records in batches of 5 make 2 batches, in each of the epoch's three passes."""
    views = harl_tf.data.PairedViews(records, batch_size=5, image_size=32, passes_per_epoch=3)
    model = harl_tf.SimCLR(tiny_pyramid(), projection_units=8, hidden_units=8)
    probe = RankProbe(views)
    probe.set_model(model)
    probe.on_train_begin()
    values, words = probe.measure()
    first = [batch["view1"] for batch in views.from_epoch(0).take(2)]
    assert values == {"effective_rank": pytest.approx(rank_of(model, tf.concat(first, 0)), 1e-5)}
    assert words == f"effective rank {values['effective_rank']:.1f} of at most 10"


@pytest.mark.parametrize(("limit", "seen"), [(1, 1), (4, 4), (5, 5), (600, 600)])
def test_endless_source_is_read_up_to_the_limit(limit, seen):
    """Of the images only; 4 channels are the most a rank of more can be."""
    model, probe = make_model(), RankProbe(tf.data.Dataset.from_tensors(IMAGES).repeat(), 1, limit)
    probe.set_model(model)
    expected = rank_of(model, np.resize(IMAGES, (seen, *IMAGES.shape[1:])))
    values, words = probe.measure()
    assert values["effective_rank"] == pytest.approx(expected, rel=1e-5)
    assert words.endswith(f"of at most {min(limit, 4)}")


@pytest.mark.slow
def test_probe_leaves_weights_as_they_are_on_replicas(two_replicas):
    models = []
    for probe in (None, RankProbe([IMAGES])):
        with two_replicas.scope():
            models.append(make_model())
        fit(models[-1], probe, epochs=2)
    for weight, other in zip(*(model.weights for model in models), strict=True):
        np.testing.assert_allclose(weight, other, atol=1e-5)


def test_line_unless_fit_is_silent(capsys):
    for verbose in (0, 2):
        fit(make_model(), RankProbe([IMAGES], every=2), epochs=2, verbose=verbose)
        lines = [each for each in capsys.readouterr().out.splitlines() if "of at most" in each]
        assert [line.split(" rank ")[0] for line in lines] == [
            f"epoch {epoch + 1}: effective" for epoch in range(verbose)
        ]


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([], r"at least one batch of images. Received: none"),
        (iter([IMAGES]), "which can be read once"),
        ([{"image": IMAGES}], r"dicts with 'view1'. Received: a dict of \['image'\]"),
        ([IMAGES / 255.0], "values from 0 to 255"),
    ],
    ids=["none", "iterator", "other_dict", "0_1"],
)
def test_what_has_no_images_is_refused_before_the_first_step(batches, message):
    model = make_model()
    with pytest.raises(ValueError, match=message):
        fit(model, RankProbe(batches))
    assert int(model.optimizer.iterations) == 0


def test_limit_below_one():
    with pytest.raises(ValueError, match=r"Expected limit ≥ 1. Received: limit=0"):
        RankProbe([IMAGES], limit=0)
