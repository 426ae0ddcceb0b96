"""Verdicts on real trainings, one healthy and one that collapses; what is said when."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf.callbacks import EpochLog, State, Verdict
from harl_tf.losses.normalize import l2_normalize
from harl_tf.methods import Bootstrap
from harl_tf.pretraining import BranchOutput, LossTerm, Pretraining
from harl_tf.pretraining.branch_output import embedding_metrics
from harl_tf.pretraining.feature_maps import pooled, select_map
from tests.callbacks.toys import fit, make_model
from tests.networks import tiny_pyramid

SMALL = {"projection_units": 16, "hidden_units": 32}


class Attraction(Bootstrap):
    """Pulls both views together; no target, no predictor, nothing that keeps images apart."""

    def loss_terms(self, forward):
        features = [pooled(select_map(forward.online[view])) for view in (0, 1)]
        embeddings = forward.through(self.projector, *features)
        first, second = (l2_normalize(each) for each in embeddings)
        distance = tf.reduce_sum(tf.math.squared_difference(first, second), axis=-1)
        return BranchOutput(LossTerm(distance), embedding_metrics(*embeddings))


def train(make, records, rate, epochs=12, **settings):
    """Fits to twelve photographs, 48 steps of AdamW, and returns its judgments."""
    keras.utils.set_random_seed(0)
    crop = harl_tf.data.RandomResizedCrop(area=(0.4, 1.0))
    views = harl_tf.data.PairedViews(records, 12, 32, passes_per_epoch=4, crop1=crop, crop2=crop)
    model = make()
    model.compile(keras.optimizers.AdamW(rate))
    judgments = []
    verdict = Verdict()
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: judgments.append(verdict.latest)
    )
    model.fit(views, epochs=epochs, callbacks=[verdict, keep], verbose=2, **settings)
    return judgments


def plain_colors():
    """No augmentation: the discs' colors tell the photographs apart."""
    none = {"jitter_probability": 0.0, "grayscale_probability": 0.0, "blur_probability": 0.0}
    return [harl_tf.layers.RandomColor(**none) for _ in range(2)]


def test_healthy_training_is_learning(records, capsys):
    """SimCLR; by the end it says so, and it never speaks of trouble."""
    judgments = train(
        lambda: harl_tf.SimCLR(tiny_pyramid(), augmentations=plain_colors(), **SMALL), records, 3e-3
    )
    states = [judgment.state for judgment in judgments]
    assert set(states) <= {State.EARLY, State.UNCLEAR, State.LEARNING}
    assert states[-1] is State.LEARNING
    lines = [each for each in capsys.readouterr().out.splitlines() if each.startswith("epoch ")]
    expected = [f"epoch {epoch}: {said}" for epoch, said in enumerate(judgments, start=1)]
    assert lines == expected


def strong():
    """The colors of SimCLR for both views."""
    return [harl_tf.layers.simclr_color() for _ in range(2)]


@pytest.mark.parametrize(
    ("make", "rate"),
    [
        (lambda: Pretraining(tiny_pyramid(), {"pull": Attraction(**SMALL)}), 1e-2),
        (lambda: harl_tf.SimCLR(tiny_pyramid(), augmentations=strong(), **SMALL), 3.0),
    ],
    ids=["nothing_repels", "huge_rate"],
)
def test_collapsing_training_is_called_so(records, make, rate):
    """Views that are only pulled together, loss near 0; and steps of 3 for every weight."""
    judgments = train(make, records, rate, epochs=6)
    states = [judgment.state for judgment in judgments]
    assert State.LEARNING not in states
    assert states[-1] is State.COLLAPSING
    assert "fell from" in judgments[-1].reason
    assert judgments[-1].advice.startswith("lower the learning rate")


def test_silent_fit_has_a_verdict_and_no_line(capsys):
    verdict = Verdict()
    fit(make_model(), verdict, epochs=2)
    assert verdict.latest.state is State.EARLY
    assert "epoch" not in capsys.readouterr().out


@pytest.mark.slow
def test_one_line_an_epoch_and_weights_as_they_were_on_replicas(two_replicas, capsys):
    models = []
    for verdict in (None, Verdict()):
        with two_replicas.scope():
            models.append(make_model())
        fit(models[-1], verdict, epochs=3, verbose=2)
    for weight, other in zip(*(model.weights for model in models), strict=True):
        np.testing.assert_allclose(weight, other, atol=1e-5)
    lines = [each for each in capsys.readouterr().out.splitlines() if each.startswith("epoch ")]
    assert [line.split(":")[0] for line in lines] == ["epoch 1", "epoch 2", "epoch 3"]


def history_of(epochs, verdict, first=0):
    """Losses that fall by 0.1 an epoch."""
    verdict.set_model(make_model())
    verdict.set_params({"epochs": epochs, "verbose": 0})
    verdict.on_train_begin()
    for epoch in range(first, epochs):
        verdict.on_epoch_begin(epoch)
        verdict.on_epoch_end(epoch, {"loss": 3.0 - 0.1 * epoch})
    return verdict.latest


def test_resumed_run_goes_on_with_the_history_of_its_log(tmp_path):
    """Twelve epochs in the log, of which ten were kept; the eleventh is the first one."""
    log = EpochLog(tmp_path / "log.csv")
    for epoch in range(1, 13):
        log.append(epoch, {"loss": 3.0 - 0.1 * (epoch - 1) if epoch <= 10 else 99.0})
    assert history_of(11, Verdict(log), first=10) == history_of(11, Verdict())
    assert history_of(11, Verdict(log), first=10).state is State.LEARNING
    assert history_of(11, Verdict(), first=10).state is State.EARLY


def test_another_fit_begins_anew():
    verdict = Verdict()
    assert history_of(8, verdict).state is State.LEARNING
    assert history_of(1, verdict).state is State.EARLY


def test_learning_rate_of_the_schedule_is_part_of_the_history():
    """A constant loss at the end of a schedule is its result."""
    verdict, model = Verdict(), make_model()
    verdict.set_model(model)
    verdict.set_params({"epochs": 10, "verbose": 0})
    verdict.on_train_begin()
    for epoch in range(10):
        model.optimizer.learning_rate = 0.1 if epoch < 5 else 1e-4
        verdict.on_epoch_begin(epoch)
        verdict.on_epoch_end(epoch, {"loss": 2.0})
    assert verdict.latest.advice == "the learning rate has come down, so this is the result"


def test_resumed_run_knows_the_rates_of_its_earlier_epochs(records, tmp_path):
    """Else the rate of now would be the highest there was, and never have come down."""
    views = harl_tf.data.PairedViews(records, 4, 32)
    log = EpochLog(tmp_path / "log.csv")
    model = harl_tf.SimCLR(tiny_pyramid(), **SMALL)
    steps = views.steps_per_epoch
    schedule = harl_tf.schedules.warmup_cosine(0.01, 4 * steps, 1)
    model.compile(keras.optimizers.AdamW(schedule))
    whole = Verdict()
    model.fit(views, epochs=3, callbacks=[log, whole], verbose=0)
    resumed = Verdict(log)
    model.fit(views, epochs=4, initial_epoch=3, callbacks=[log, resumed], verbose=0)
    rates = [row["learning_rate"] for row in resumed._history]
    assert rates[:3] == pytest.approx([row["learning_rate"] for row in whole._history])
    assert rates[3] < min(rates[:3])
