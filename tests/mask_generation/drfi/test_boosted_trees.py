import json
import pickle

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

from mask_generation.drfi import forest
from mask_generation.drfi.features import NAMES
from mask_generation.networks.opening import ModelError


def _data(count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    features = random.normal(size=(count, len(NAMES))).astype(np.float32)
    return features, (features[:, 0] + features[:, 5] > 0).astype(np.float32)


def _forest(kind=RandomForestRegressor) -> tuple[forest.Forest, np.ndarray, np.ndarray]:
    """A forest, features it has not seen, and what scikit-learn says of them."""
    grown = kind(n_estimators=12, max_features=9, random_state=0).fit(*_data())
    unseen = np.random.default_rng(1).normal(size=(300, len(NAMES))).astype(np.float32)
    return forest.from_sklearn(grown, 120, (50.0, 200.0), "noise"), unseen, grown.predict(unseen)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("forest") / "forest.npz"
    _forest()[0].save(path)
    return path


@pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor])
def test_answers_are_those_of_scikit_learn(kind):
    ours, unseen, expected = _forest(kind)
    assert np.ptp(expected) > 0.5
    np.testing.assert_allclose(ours.predict(unseen), expected, rtol=0, atol=1e-12)


def test_value_on_the_threshold_goes_left():
    """One tree that parts 0 from 1 at one half, as drawn by hand."""
    tree = forest.Forest(
        root=np.array([0], np.int32),
        left=np.array([1, -1, -1], np.int32),
        right=np.array([2, -1, -1], np.int32),
        feature=np.array([0, 0, 0], np.int16),
        threshold=np.array([0.5, 0, 0]),
        value=np.array([9.0, 0.25, 0.75]),
        work_size=100,
        scales=(50.0,),
        trained_on="",
    )
    assert tree.predict(np.array([[0.5], [0.6]], np.float32)).tolist() == [0.25, 0.75]


def test_file_gives_the_same_forest_and_the_same_bytes(saved, tmp_path):
    ours, unseen, _ = _forest()
    again = forest.load(saved)
    np.testing.assert_array_equal(again.predict(unseen), ours.predict(unseen))
    assert (again.work_size, again.scales, again.trained_on) == (120, (50.0, 200.0), "noise")
    again.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == saved.read_bytes()


def _rewritten(saved, path, **changes):
    """The same file with other contents, and a checksum that fits them."""
    with np.load(saved) as file:
        contents = {**{name: file[name] for name in file.files}, **changes}
    header = json.loads(str(contents.pop("header")))
    header.pop("sha256")
    header["sha256"] = forest._digest(header, contents)
    np.savez(path, header=np.array(json.dumps(header)), **contents)
    return path


def test_settings_are_part_of_the_checksum(saved, tmp_path):
    with np.load(saved) as file:
        contents = {name: file[name] for name in file.files}
    contents["header"] = np.array(str(contents["header"]).replace("120", "121"))
    np.savez(tmp_path / "other.npz", **contents)
    with pytest.raises(ModelError, match="is damaged: its checksum"):
        forest.load(tmp_path / "other.npz")


@pytest.mark.parametrize(
    "changes",
    [
        {"left": np.zeros(1, np.int32)},  # a walk that never ends
        {"feature": np.full(1, len(NAMES), np.int16)},  # a column that is not there
        {"root": np.array([5], np.int32)},  # a tree beyond the nodes
        {"root": np.array([], np.int32)},
        {"value": np.zeros(1, np.float32)},
        {"value": np.zeros(2)},
    ],
)
def test_trees_that_lead_nowhere_are_refused(saved, tmp_path, changes):
    """Also with a checksum that fits: the file may have been made so."""
    one = {
        "root": np.array([0], np.int32),
        "left": np.array([-1], np.int32),
        "right": np.array([-1], np.int32),
        "feature": np.array([0], np.int16),
        "threshold": np.zeros(1),
        "value": np.ones(1),
    }
    whole = _rewritten(saved, tmp_path / "whole.npz", **one)
    assert forest.load(whole).predict(np.zeros((1, 1), np.float32)).tolist() == [1.0]
    with pytest.raises(ModelError, match="is damaged"):
        forest.load(_rewritten(saved, tmp_path / "bad.npz", **{**one, **changes}))


class _Evil:
    def __reduce__(self):
        return (pytest.fail, ("a file was allowed to run code",))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "cannot be opened: No such file or directory. Make one with"),
        (lambda path: path.mkdir(), "cannot be opened: Is a directory"),
        (lambda path: path.write_bytes(b""), "Expected a forest of DRFI"),
        (lambda path: path.write_text("a text"), "Expected a forest of DRFI"),
        (lambda path: path.write_bytes(pickle.dumps(_Evil())), "Expected a forest of DRFI"),
        (lambda path: np.savez(path, root=np.zeros(1)), "Expected a forest of DRFI"),
        (lambda path: np.savez(path, header=np.array(["{}"], object)), "Expected a forest"),
    ],
)
def test_other_files_are_refused_and_never_run(tmp_path, make, sentence):
    make(tmp_path / "forest.npz")
    with pytest.raises(ModelError, match=sentence):
        forest.load(tmp_path / "forest.npz")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_cut_off_file_is_refused(saved, tmp_path, share):
    data = saved.read_bytes()
    (tmp_path / "cut.npz").write_bytes(data[: int(share * len(data))])
    with pytest.raises(ModelError, match=r"is damaged|Expected a forest"):
        forest.load(tmp_path / "cut.npz")


def test_changed_byte_is_noticed(saved, tmp_path):
    data = bytearray(saved.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "changed.npz").write_bytes(data)
    with pytest.raises(ModelError, match="is damaged"):
        forest.load(tmp_path / "changed.npz")


def test_forest_for_other_features_is_refused(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(forest, "NAMES", NAMES[:-1])
    with pytest.raises(ModelError, match="or for other features of the regions"):
        forest.load(saved)
