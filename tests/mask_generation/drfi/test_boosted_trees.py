import json
import math
import pickle
import re
import sys

import numpy as np
import pytest

from mask_generation.drfi import boosted_trees
from mask_generation.drfi.boosted_trees import BoostedTrees
from mask_generation.drfi.features import NAMES
from mask_generation.networks.opening import ModelError

pytest.importorskip("lightgbm")


def _data(seed: int, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Regions whose label is whether the first and the sixth feature add up to more than 0."""
    features = np.random.default_rng(seed).normal(size=(count, len(NAMES))).astype(np.float32)
    return features, (features[:, 0] + features[:, 5] > 0).astype(np.float32)


def _grow(count: int = 60, seed: int = 0, threads: int = 1) -> str:
    return boosted_trees.fit(*_data(0), count, seed, threads)


@pytest.fixture(scope="module")
def trees():
    return BoostedTrees(_grow(), 120, (50.0, 200.0), "noise")


@pytest.fixture
def saved(trees, tmp_path):
    trees.save(tmp_path / "drfi.json")
    return tmp_path / "drfi.json"


def _by_hand(text: str, row: np.ndarray) -> float:
    """Follows one row down every tree of LightGBM's text; the sum of leaves is a logit."""
    total = 0.0
    for block in re.split(r"\nTree=\d+\n", text)[1:]:
        tree = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        feature, threshold, left, right, value = (
            tree[name].split()
            for name in ("split_feature", "threshold", "left_child", "right_child", "leaf_value")
        )
        node = 0
        while node >= 0:
            below = float(row[int(feature[node])]) <= float(threshold[node])
            node = int((left if below else right)[node])
        total += float(value[-node - 1])
    return 1 / (1 + math.exp(-total))


def test_answers_are_probabilities_that_follow_the_trees(trees):
    unseen, labels = _data(1, 50)
    answers = trees.predict(unseen)
    expected = [_by_hand(trees.trees, row) for row in unseen]
    np.testing.assert_allclose(answers, expected, rtol=0, atol=1e-12)
    assert np.mean((answers > 0.5) == labels) > 0.8
    assert trees.count == 60


def test_trees_depend_on_the_seed_and_not_on_the_threads(trees):
    assert _grow(threads=2) == trees.trees
    assert _grow(seed=1) != trees.trees


def test_too_few_regions_are_a_sentence():
    """Fewer than two leaves of 20 regions: LightGBM itself would answer one half everywhere."""
    with pytest.raises(ModelError, match=r"Expected regions enough.* Received: 30 regions"):
        boosted_trees.fit(*_data(0, 30), 5, 0, 1)


def test_file_gives_the_same_trees_and_the_same_bytes(trees, saved, tmp_path):
    again = boosted_trees.load(saved)
    assert again == trees
    np.testing.assert_array_equal(again.predict(_data(1)[0]), trees.predict(_data(1)[0]))
    again.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == saved.read_bytes()


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"\nleft_child=\S+", "\nleft_child=0"),  # a walk that never ends
        (r"\nright_child=\S+", "\nright_child=9999"),  # a node that is not there
        (r"\nleft_child=\S+", "\nleft_child=-99"),  # a leaf that is not there
        (r"\nsplit_feature=\S+", f"\nsplit_feature={len(NAMES)}"),  # a column that is not there
        (r"\nnum_leaves=\S+", "\nnum_leaves=9999"),
        (r"\nnum_cat=0", "\nnum_cat=1"),
        (r"\ndecision_type=\S+", "\ndecision_type=1"),  # a split by categories
        (r"\nleaf_value=\S+", "\nleaf_value="),
        (r"\nnum_class=1", "\nnum_class=2"),
        (r"\nobjective=.*", "\nobjective=regression"),
        (r"\nmax_feature_idx=", "\ntree_sizes=99999\nmax_feature_idx="),
        (r"(?s)\nTree=0.*", "\n"),  # no tree at all
    ],
)
def test_trees_that_lead_nowhere_are_refused(trees, tmp_path, pattern, replacement):
    """Also with a checksum that fits: the file may have been made so."""
    changed, places = re.subn(pattern, replacement, trees.trees, count=1)
    assert places == 1
    BoostedTrees(changed, 120, (50.0,), "noise").save(tmp_path / "bad.json")
    with pytest.raises(ModelError, match="is damaged"):
        boosted_trees.load(tmp_path / "bad.json")


class _Evil:
    def __reduce__(self):
        return (pytest.fail, ("a file was allowed to run code",))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "cannot be opened: No such file or directory. Make one with"),
        (lambda path: path.mkdir(), "cannot be opened: Is a directory"),
        (lambda path: path.write_bytes(b""), "Expected a model of DRFI"),
        (lambda path: path.write_text("a text"), "Expected a model of DRFI"),
        (lambda path: path.write_text("[1, 2]"), "Expected a model of DRFI"),
        (lambda path: path.write_bytes(pickle.dumps(_Evil())), "Expected a model of DRFI"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "Expected a model of DRFI"),
    ],
)
def test_other_files_are_refused_and_never_run(tmp_path, make, sentence):
    make(tmp_path / "drfi.json")
    with pytest.raises(ModelError, match=sentence):
        boosted_trees.load(tmp_path / "drfi.json")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_cut_off_file_is_refused(saved, share):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ModelError, match="Expected a model of DRFI"):
        boosted_trees.load(saved)


@pytest.mark.parametrize(("old", "new"), [('"work_size": 120', '"work_size": 121'), ("0.0", "0.1")])
def test_changed_settings_or_trees_are_noticed(saved, old, new):
    saved.write_text(saved.read_text().replace(old, new, 1))
    with pytest.raises(ModelError, match="is damaged: its checksum"):
        boosted_trees.load(saved)


def test_trees_for_other_features_are_refused(saved, monkeypatch):
    monkeypatch.setattr(boosted_trees, "NAMES", NAMES[:-1])
    with pytest.raises(ModelError, match="or for other features of the regions"):
        boosted_trees.load(saved)


def test_file_of_another_schema_is_refused(saved):
    contents = json.loads(saved.read_text()) | {"schema": 3}
    saved.write_text(json.dumps(contents))
    with pytest.raises(ModelError, match=r"of schema 2\. Received: .*, of schema 3"):
        boosted_trees.load(saved)


def test_missing_lightgbm_is_a_sentence(trees, saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(ModelError, match=r'pip install "harl_tf\[drfi\]"'):
        boosted_trees.load(saved)
    with pytest.raises(ModelError, match=r'pip install "harl_tf\[drfi\]"'):
        BoostedTrees(trees.trees, 120, (50.0,), "noise").predict(_data(1)[0])
    with pytest.raises(ModelError, match=r'pip install "harl_tf\[drfi\]"'):
        _grow()
