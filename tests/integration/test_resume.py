"""A run that was stopped goes on to the same weights as one that was not."""

import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

import harl_tf
from tests.networks import tiny_hapicl


def pretrain(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tests.integration.pretrain_tiny", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_killed_run_continues_to_the_same_weights(records, tmp_path):
    """SIGKILL in epoch 2 of 3, two epochs saved; then the last one alone."""
    whole = pretrain(records, tmp_path / "whole", 3, tmp_path / "whole.npz")
    assert whole.returncode == 0, whole.stderr
    killed = pretrain(records, tmp_path / "run", 3, tmp_path / "killed.npz", 2)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed.npz").exists()
    continued = pretrain(records, tmp_path / "run", 3, tmp_path / "continued.npz")
    assert "from epoch 2" in continued.stdout, continued.stderr
    expected, found = np.load(tmp_path / "whole.npz"), np.load(tmp_path / "continued.npz")
    for name in expected.files:
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.slow
def test_second_part_of_a_run_continues_to_the_same_weights(records, tmp_path):
    """One epoch, then three; SIGKILL in the last one. The other had both parts from its start."""
    whole = pretrain(records, tmp_path / "whole", 3, tmp_path / "whole.npz", "never", 1)
    assert whole.returncode == 0, whole.stderr
    first = pretrain(records, tmp_path / "run", 1, tmp_path / "first.npz", "never", 1)
    assert first.returncode == 0, first.stderr
    killed = pretrain(records, tmp_path / "run", 3, tmp_path / "killed.npz", 2, 1)
    assert "from epoch 1" in killed.stdout, killed.stderr
    assert killed.returncode == -signal.SIGKILL
    continued = pretrain(records, tmp_path / "run", 3, tmp_path / "continued.npz", "never", 1)
    assert "from epoch 2" in continued.stdout, continued.stderr
    expected, found = np.load(tmp_path / "whole.npz"), np.load(tmp_path / "continued.npz")
    for name in expected.files:
        np.testing.assert_array_equal(found[name], expected[name])


class CtrlC(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations.numpy()) == 5:
            raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("replicas", [1, 2])
def test_interrupted_run_continues_to_the_same_weights(records, tmp_path, two_replicas, replicas):
    """Ctrl-C in the fifth of nine steps, after one of three epochs.

    In this process operations are not deterministic to the bit, so float64 and a tolerance.
    """
    keras.config.set_dtype_policy("float64")
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)

    def run(folder, callbacks=()):
        if replicas == 2:
            with two_replicas.scope():
                model = tiny_hapicl()
        else:
            model = tiny_hapicl()
        checkpoint = harl_tf.callbacks.Checkpoint(folder, views)
        first = checkpoint.resume(model)
        model.fit(
            views.from_epoch(first),
            steps_per_epoch=views.steps_per_epoch,
            epochs=3,
            initial_epoch=first,
            callbacks=[checkpoint, *callbacks],
            shuffle=False,
            verbose=0,
        )
        return first, [variable.numpy() for variable in model.variables]

    _, expected = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", [CtrlC()])
    first, found = run(tmp_path / "run")
    assert first == 1
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)
