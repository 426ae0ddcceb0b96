"""A finished run goes on with more epochs in a user's own script."""

import keras
import numpy as np
import pytest

import harl_tf
from harl_tf.callbacks import Checkpoint, ResumeError
from harl_tf.schedules import Cosine, InParts, warmup_cosine
from tests.networks import tiny_pyramid

STEPS = 6
"""Two epochs of three steps."""

OPTIMIZERS = {
    "adamw": lambda rate: keras.optimizers.AdamW(rate, weight_decay=0.01),
    "momentum": lambda rate: keras.optimizers.SGD(rate, momentum=0.9),
}


@pytest.fixture
def views(records):
    return harl_tf.data.PairedViews(records, batch_size=4, image_size=32)


def rate(parts):
    first, second = warmup_cosine(0.01, STEPS, 1), warmup_cosine(0.005, STEPS, 2)
    return first if parts == 1 else InParts([first, second], [STEPS])


def momentum(parts):
    first, second = Cosine(0.9, 1.0, STEPS), Cosine(0.95, 1.0, STEPS)
    return first if parts == 1 else InParts([first, second], [STEPS])


def fit(views, folder, optimizer, parts, epochs, momenta=momentum):
    keras.utils.set_random_seed(0)
    model = harl_tf.BYOL(tiny_pyramid(), 16, 32, momentum=momenta(parts))
    model.compile(OPTIMIZERS[optimizer](rate(parts)))
    checkpoint = Checkpoint(folder, views)
    first = checkpoint.resume(model)
    model.fit(views, epochs=epochs, initial_epoch=first, callbacks=[checkpoint], verbose=0)
    return model


@pytest.mark.slow  # the command's test of the same is not
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_run_goes_on_as_one_that_had_both_parts_from_its_start(views, tmp_path, optimizer):
    """After two epochs of its own, and interrupted in the second part."""
    fit(views, tmp_path / "run", optimizer, parts=1, epochs=2)
    fit(views, tmp_path / "run", optimizer, parts=2, epochs=3)
    resumed = fit(views, tmp_path / "run", optimizer, parts=2, epochs=4)
    whole = fit(views, tmp_path / "whole", optimizer, parts=2, epochs=4)
    assert int(resumed.optimizer.iterations) == 2 * STEPS
    for expected, found in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_schedule_that_does_not_begin_with_the_runs_is_refused(views, tmp_path):
    fit(views, tmp_path / "run", "momentum", parts=1, epochs=2)
    with pytest.raises(ResumeError, match=r"model\.momentum\.config"):
        fit(views, tmp_path / "run", "momentum", 2, 4, momenta=lambda parts: Cosine(0.5, 1.0, 9))


def test_run_that_went_on_beyond_the_part_is_refused(views, tmp_path):
    """Its third epoch followed the first schedule, which InParts says ended after the second."""
    fit(views, tmp_path / "run", "momentum", parts=1, epochs=3)
    with pytest.raises(ResumeError, match=r"learning_rate does not continue .* after update 9 or"):
        fit(views, tmp_path / "run", "momentum", parts=2, epochs=4)
