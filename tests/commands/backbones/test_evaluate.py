"""``python -m harl_tf evaluate``."""

import argparse
import csv

import numpy as np
import pytest

import harl_tf
from harl_tf.commands.backbones import evaluate as command
from harl_tf.evaluation import EVALUATORS
from tests.commands.backbones.test_classify import backbone, fill, run

__all__ = ["backbone"]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("evaluate") / "photographs", 12, seed=0)


def test_everything_is_measured_beside_random_initialization(
    backbone, photographs, tmp_path, capsys
):
    out = tmp_path / "out.csv"
    assert run("evaluate", backbone, photographs, "--random", "--csv", out) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    networks = [str(backbone), "random initialization"]
    assert [row["backbone"] for row in rows] == sorted(networks * 7, key=networks.index)
    assert {row["evaluation"] for row in rows[:7]} == {
        *("knn", "linear", "linear_1%", "linear_10%", "recall@1", "recall@5", "map")
    }
    assert {row["image_size"] for row in rows} == {"32"}
    assert "random initialization:\n  knn" in capsys.readouterr().out


def test_random_initialization_is_the_same_network_with_other_weights(backbone):
    """Those of the seed."""
    loaded = harl_tf.load_backbone(backbone)
    arguments = argparse.Namespace(backbone="mine", random=True, seed=3)
    kernels = [
        [network.weights[0].numpy() for _, network in command._networks(arguments, loaded)]
        for _ in range(2)
    ]
    assert not np.array_equal(kernels[0][0], kernels[0][1])
    assert np.array_equal(kernels[0][1], kernels[1][1])


def test_test_set_of_its_own(backbone, photographs, tmp_path, capsys):
    """36 to learn from, 6 to score."""
    other = fill(tmp_path / "other", 2, seed=5)
    assert run("evaluate", backbone, photographs, other, "--with", "linear") == 0
    assert "of 6 images, 36 labels" in capsys.readouterr().out


def test_halves_are_those_of_the_probes_in_pretraining(backbone, photographs, capsys):
    """The same photographs, by their names below the folder."""
    names = sorted(path.relative_to(photographs).as_posix() for path in photographs.glob("*/*"))
    first = sum(bool(harl_tf.data.in_first_half(name)) for name in names)
    assert run("evaluate", backbone, photographs, "--with", "linear") == 0
    assert f"of {36 - first} images, {first} labels" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{photographs}", "--with", "knn,nothing"), f"some of {','.join(EVALUATORS)}"),
        (("{photographs}", "{photographs}/blue"), "Expected the class folders of"),
        (("no/such",), "There is no folder no/such"),
    ],
)
def test_one_line_says_what_is_wrong(backbone, photographs, capsys, words, said):
    words = [word.format(photographs=photographs) for word in words]
    assert run("evaluate", backbone, *words) == 2
    found = capsys.readouterr().err
    assert said in found
    assert found.count("\n") == 1
