"""Records and checkpoints of earlier versions: read, trained on, gone on with.

``make_run.py`` wrote them. A test that fails here means that somebody's records or run are lost.
"""

import json
import pathlib
import shutil

import numpy as np
import pytest

import mask_generation
from harl_tf.callbacks import Checkpoint
from harl_tf.data.manifest import SCHEMA
from harl_tf.data.manifest.seal import SEAL
from tests.golden.make_run import contents, training

FOLDERS = sorted(pathlib.Path(__file__).parent.glob("run_*"))


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request):
    return request.param


def test_records_hold_what_they_held(folder):
    found = contents(folder)
    for name, expected in np.load(folder / "records.npz").items():
        np.testing.assert_array_equal(found[name], expected)
    assert mask_generation.verify(folder / "records").records == 4


def test_run_is_gone_on_with(folder, tmp_path):
    """Weights, moments and the step are those of the time; then the next epoch."""
    model, views = training(folder)
    checkpoint = Checkpoint(shutil.copytree(folder / "run", tmp_path / "run"), views)
    assert checkpoint.resume(model) == 1
    expected = np.load(folder / "variables.npz")
    assert len(model.variables) == len(expected.files)
    for name, variable in zip(expected.files, model.variables, strict=True):
        np.testing.assert_array_equal(variable.numpy(), expected[name])
    history = model.fit(views, epochs=2, initial_epoch=1, callbacks=[checkpoint], verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_folder_is_small(folder):
    for part in folder.iterdir():
        files = [part, *part.rglob("*")]
        assert sum(path.stat().st_size for path in files if path.is_file()) < 300_000


def test_there_is_one_for_the_schema_of_this_version():
    """Records with and without the manifest's own checksum, which the schema leaves open."""
    found = [folder.name for folder in FOLDERS]
    assert {f"run_schema_{SCHEMA}", f"run_schema_{SCHEMA}_sealed"} <= set(found)
    texts = [(folder / "records/manifest.json").read_text() for folder in FOLDERS]
    sealed = [SEAL in json.loads(text) for text in texts]
    assert sealed == [name.endswith("_sealed") for name in found]
