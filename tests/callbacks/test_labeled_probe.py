"""Two probes of the same vectors; what both refuse is in ``test_knn_probe``."""

import re

import numpy as np
import pytest

from harl_tf.callbacks import KNNProbe, LabeledProbe
from harl_tf.evaluation import Embedder, knn_accuracy, linear_accuracy
from tests.callbacks.toys import Labeled, fit, make_model


def test_probe_logs_both_accuracies_of_the_current_backbone():
    model, train, test = make_model(), Labeled(0), Labeled(1)
    history = fit(model, LabeledProbe(train, test, neighbors=3), epochs=2)
    embed = Embedder(model.backbone)
    data = (*embed(train), *embed(test))
    assert history["knn_accuracy"][-1] == knn_accuracy(*data, 3)
    assert history["linear_accuracy"][-1] == linear_accuracy(*data)


@pytest.mark.parametrize("kind", [KNNProbe, LabeledProbe])
def test_every_image_is_embedded_once_a_probe(kind):
    """Twice for the check of its first batch, then in epochs 1, 2 and 4."""
    train, test = Labeled(0), Labeled(1)
    fit(make_model(), kind(train, test, every=2), epochs=4)
    assert train.reads == test.reads == 2 + 3


@pytest.mark.parametrize("kind", [KNNProbe, LabeledProbe])
def test_epoch_that_is_not_due_repeats_the_values_of_before_a_resumed_run(kind):
    """As the log of the epoch before has them, among other metrics; the last one is probed."""
    model, probe = make_model(), kind(Labeled(0), Labeled(1), every=9)
    before = {name: 0.125 for name in probe.names}
    model.logged_before = {"loss": 7.0, **before}
    history = fit(model, probe, 5, initial_epoch=3)
    assert {name: history[name][0] for name in before} == before
    assert set(probe.measure()[0]) == set(probe.names)
    assert all(history[name][1] != 0.125 for name in before)


@pytest.mark.slow
def test_probe_leaves_weights_as_they_are():
    plain, probed = make_model(), make_model()
    fit(plain, epochs=2)
    fit(probed, LabeledProbe(Labeled(0), Labeled(1)), epochs=2)
    for weight, other in zip(plain.weights, probed.weights, strict=True):
        np.testing.assert_allclose(weight, other, atol=1e-5)


def test_line_has_both_scores_unless_fit_is_silent(capsys):
    """Six images of two classes, half of them in each."""
    share = r"(\.\d\d|1\.00)"
    for verbose in (0, 2):
        fit(make_model(), LabeledProbe(Labeled(0), Labeled(1)), epochs=2, verbose=verbose)
        lines = [each for each in capsys.readouterr().out.splitlines() if "linear" in each]
        lines = [each for each in lines if not each.startswith("2/2")]
        assert len(lines) == verbose
        for epoch, line in enumerate(lines, start=1):
            scores = rf"kNN {share} ± {share}, linear {share} ± {share}"
            assert re.fullmatch(rf"epoch {epoch}: {scores} of 6 images, chance .50", line)


def test_resumed_run_is_probed_at_its_first_epoch():
    """Epochs 4 and 5, though only every third is due."""
    train = Labeled(0)
    probe = LabeledProbe(train, Labeled(1), every=10)
    history = fit(make_model(), probe, epochs=5, initial_epoch=3)
    assert train.reads == 2 + 2
    assert len(history["linear_accuracy"]) == 2


@pytest.mark.slow
def test_probe_under_replicas_is_that_of_one_device(two_replicas):
    with two_replicas.scope():
        model = make_model()
    train, test = Labeled(0), Labeled(1)
    history = fit(model, LabeledProbe(train, test), epochs=2)
    embed = Embedder(model.backbone)
    assert history["linear_accuracy"][-1] == linear_accuracy(*embed(train), *embed(test))


def test_used_for_another_model_probes_that_one():
    """The second model's features are all zero: the most frequent class, class 0, is half."""
    train = Labeled(0)
    probe, second = LabeledProbe(train, train), make_model()
    assert fit(make_model(), probe)["linear_accuracy"] != [0.5]
    second.backbone.layers[-1].kernel.assign(np.zeros((4, 4, 3, 4)))
    second.backbone.trainable = False
    assert fit(second, probe)["linear_accuracy"] == [0.5]
