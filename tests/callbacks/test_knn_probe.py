"""The probe measures and changes nothing."""

import numpy as np
import pytest

from harl_tf.callbacks import KNNProbe
from harl_tf.evaluation import Embedder, knn_accuracy
from tests.callbacks.toys import Labeled, fit, make_model, make_stream


def test_probe_leaves_weights_and_losses_as_they_are():
    plain, probed = make_model(), make_model()
    history = fit(plain, epochs=3)
    with_probe = fit(probed, KNNProbe(Labeled(0), Labeled(1)), epochs=3)
    assert sorted({*history, "knn_accuracy"}) == sorted(with_probe)
    # Not to the bit: threads that add up in another order round differently.
    for name, values in history.items():
        np.testing.assert_allclose(values, with_probe[name], rtol=1e-5)
    for weight, other in zip(plain.weights, probed.weights, strict=True):
        np.testing.assert_allclose(weight, other, atol=1e-5)


def test_probe_logs_the_accuracy_of_the_current_backbone():
    model, train, test = make_model(), Labeled(0), Labeled(1)
    history = fit(model, KNNProbe(train, test, neighbors=3), epochs=2)
    embed = Embedder(model.backbone)
    assert history["knn_accuracy"][-1] == knn_accuracy(*embed(train), *embed(test), 3)


@pytest.mark.parametrize(
    ("every", "epochs", "probed"), [(1, 3, 3), (2, 5, [1, 2, 4, 5]), (3, 4, [1, 3, 4])]
)
def test_probe_first_every_nth_and_last_epoch(every, epochs, probed):
    """Epochs counted from 1; between probes the latest value stands in the logs."""
    probed = probed if isinstance(probed, list) else list(range(1, probed + 1))
    train, model = Labeled(0), make_model()
    probe = KNNProbe(train, Labeled(1), every=every)
    probe.set_model(model)
    probe.set_params({"epochs": epochs})
    probe.on_train_begin()
    scores, reads = [], []
    for epoch in range(epochs):
        before, logs = train.reads, {}
        probe.on_epoch_end(epoch, logs)
        scores.append(logs["knn_accuracy"])
        reads.append(train.reads - before)
    assert [epoch + 1 for epoch, read in enumerate(reads) if read] == probed
    assert np.isfinite(scores).all()


def test_probe_used_for_another_model_probes_that_one():
    """The second model's features are constant zeros but for their first channel."""
    train, test = Labeled(0), Labeled(0)
    probe = KNNProbe(train, test, neighbors=1)
    first, second = make_model(), make_model()
    assert fit(first, probe)["knn_accuracy"] == [1.0]
    second.backbone.layers[-1].kernel.assign(np.zeros((4, 4, 3, 4)))
    second.backbone.trainable = False
    assert fit(second, probe)["knn_accuracy"] == [0.5]


def test_probe_every_below_one():
    with pytest.raises(ValueError, match=r"Expected every ≥ 1. Received: every=0"):
        KNNProbe([], [], every=0)


class OneBatch:
    """A data set of one batch."""

    def __init__(self, images, labels):
        self.batch = (images, labels)

    def __iter__(self):
        return iter([self.batch])


IMAGES, LABELS = Labeled(0).images, Labeled(0).labels


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (OneBatch(IMAGES, np.eye(2)[LABELS]), "one class number each"),
        (OneBatch(IMAGES, LABELS - 1), r"labels from 0; .* Received: -1"),
        (OneBatch(IMAGES, LABELS + 0.5), "labels as whole numbers"),
        (OneBatch(IMAGES / 255.0, LABELS), r"from 0 to 255, .* values from 0"),
        (OneBatch(IMAGES / 127.5 - 1, LABELS), r"from 0 to 255, .* values from -1"),
        (OneBatch(IMAGES[..., 0], LABELS), r"\(batch, height, width, 3\).*\(6, 8, 8\)"),
        ([], "batches of .images, labels.*Received: none"),
        ([{"image": IMAGES}], "batches of .images, labels.*Received: dict"),
        (iter([(IMAGES, LABELS)]), "which can be read once"),
    ],
    ids=["one_hot", "negative", "floats", "0_1", "normalized", "gray", "none", "dict", "iterator"],
)
def test_data_that_the_probe_cannot_use_is_refused_before_the_first_step(part, data, message):
    model, good = make_model(), Labeled(0)
    probe = KNNProbe(**{"train": good, "test": good, part: data})
    with pytest.raises(ValueError, match=message):
        fit(model, probe)
    assert int(model.optimizer.iterations) == 0


@pytest.mark.parametrize("verbose", [0, 2])
def test_line_of_a_probe_says_what_its_number_is_worth(capsys, verbose):
    """Six images of two classes: an error of √(p(1-p)/6), chance one half."""
    model, probe = make_model(), KNNProbe(Labeled(0), Labeled(1))
    model.fit(make_stream(), epochs=2, callbacks=[probe], verbose=verbose)
    lines = [each for each in capsys.readouterr().out.splitlines() if "kNN" in each]
    if not verbose:
        assert lines == []
        return
    assert [line.split(":")[0] for line in lines] == ["epoch 1", "epoch 2"]
    assert all(line.endswith(" of 6 images, chance .50") for line in lines)
