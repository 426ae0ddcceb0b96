"""``python -m harl_tf evaluate``."""

import argparse
import csv
import shutil
import tarfile

import keras
import numpy as np
import pytest
from PIL import Image

import harl_tf
import mask_generation
from harl_tf.commands.evaluating import measured
from harl_tf.evaluation import EVALUATORS
from tests.commands.backbones.test_classify import backbone, fill, run
from tests.mask_generation.inputs.sources.test_tfds_split import data_dir, folder

__all__ = ["backbone", "data_dir", "folder"]


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
        [network.weights[0].numpy() for _, network in measured.networks(arguments, loaded)]
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


def test_few_photographs_leave_out_what_needs_more(backbone, photographs, tmp_path, capsys):
    """One to score of each class: there is nothing to be found among the others."""
    test = fill(tmp_path / "test", 1, seed=1)
    assert run("evaluate", backbone, photographs, test, "--csv", tmp_path / "out.csv") == 0
    assert "  retrieval: left out. Expected at least two images" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert [row["evaluation"] for row in rows] == ["knn", "linear", "linear_1%", "linear_10%"]


def test_test_set_of_other_classes_is_one_line(backbone, photographs, tmp_path, capsys):
    test = fill(tmp_path / "test", 1, seed=1)
    (test / "blue").rename(test / "azure")
    assert run("evaluate", backbone, photographs, test) == 2
    assert "blue, grün and red apples. Received: azure, which" in capsys.readouterr().err


def test_photograph_outside_the_test_classes_is_one_line(backbone, photographs, tmp_path, capsys):
    test = fill(tmp_path / "test", 1, seed=1)
    (test / "blue" / "0.png").rename(test / "stray.png")
    assert run("evaluate", backbone, photographs, test) == 2
    assert "1 photographs outside" in capsys.readouterr().err


def test_normalization_that_was_adapted_is_no_part_of_the_random_weights():
    image = keras.Input((None, None, 3))
    adapted = keras.layers.Normalization()
    adapted.adapt(np.random.default_rng(0).uniform(0, 255, (8, 4, 4, 3)))
    network = keras.Model(image, {"P1": keras.layers.Conv2D(4, 3, strides=2)(adapted(image))})
    copy = measured.as_new(network)
    for old, new in zip(network.weights, copy.weights, strict=True):
        if "bias" not in new.path:
            assert np.array_equal(old, new) == ("kernel" not in new.path)


def test_splits_of_a_data_set_of_tfds(backbone, folder, capsys):
    """Seven photographs each, of two classes."""
    assert run("evaluate", backbone, f"{folder}:train", f"{folder}:test", "--with", "knn") == 0
    assert "of 7 images, 7 labels" in capsys.readouterr().out


@pytest.mark.slow
def test_fine_tuning_with_few_and_with_all_labels(backbone, photographs, tmp_path, capsys):
    """18 photographs of each color to learn from, of which 1 % and 10 % are one and two."""
    out = tmp_path / "out.csv"
    words = ("--with", "knn", "--fine-tune", 3, "--csv", out)
    train = fill(tmp_path / "train", 18, seed=5)
    assert run("evaluate", backbone, train, photographs, *words) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [(row["evaluation"], row["labels"]) for row in rows] == [
        ("knn", "54"),
        ("fine_tuned_1%", "3"),
        ("fine_tuned_10%", "6"),
        ("fine_tuned", "54"),
    ]
    assert "  fine_tuned_1% " in capsys.readouterr().out


def test_transfer_to_several_sets(backbone, photographs, folder, tmp_path, capsys):
    """The mean of the two values of a table with a line for each set and network."""
    out = tmp_path / "out.csv"
    sets = ("--set", photographs, "--set", f"{folder}:train", f"{folder}:test")
    words = ("--with", "linear", "--random", "--csv", out)
    assert run("transfer", backbone, *sets, *words) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    networks = [str(backbone), "random initialization"]
    assert [(row["set"], row["backbone"]) for row in rows] == [
        (name, network) for name in (str(photographs), f"{folder}:train") for network in networks
    ]
    mean = np.mean([float(row["value"]) for row in rows if row["backbone"] == str(backbone)])
    said = capsys.readouterr().out
    assert f"means over 2 sets:\n  linear {mean:.3f}, {backbone}, 2 sets\n" in said


def test_what_was_measured_before_an_error_is_written(backbone, photographs, tmp_path, capsys):
    out = tmp_path / "out.csv"
    sets = ("--set", photographs, "--set", "no/such")
    assert run("transfer", backbone, *sets, "--with", "knn,knn", "--csv", out) == 2
    assert "There is no folder no/such" in capsys.readouterr().err
    assert len(out.read_text().splitlines()) == 1 + 1


def test_third_folder_of_a_set_is_one_line(backbone, photographs, capsys):
    assert run("transfer", backbone, "--set", photographs, photographs, photographs) == 2
    assert "Expected --set TRAIN [TEST]." in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["list", "tar", "records"])
def test_other_sources_are_the_same_photographs(backbone, photographs, tmp_path, capsys, kind):
    if kind == "records":
        mask_generation.convert(photographs, tmp_path / "in", flagged="keep", progress=False)
    elif kind == "tar":
        with tarfile.open(tmp_path / "in", "w") as members:
            members.add(photographs, "in")
    else:
        paths = sorted(photographs.glob("*/*"))
        lines = [f"{path}\t{path.parent.name}" for path in paths]
        (tmp_path / "in").write_text("\n".join(lines) + "\n")
    said = []
    for source in (photographs, tmp_path / "in"):
        assert run("evaluate", backbone, source, photographs, "--with", "linear") == 0
        said.append([line for line in capsys.readouterr().out.splitlines() if "  linear" in line])
    assert said[0] == said[1]
    assert "36 labels" in said[0][0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{photographs}", "--with", "knn,nothing"), f"some of {','.join(EVALUATORS)}"),
        (("{photographs}", "{photographs}/blue"), "Expected one subfolder per class in"),
        (("no/such",), "There is no folder no/such"),
        (("{photographs}", "--csv", "no/such/out.csv"), "There is no folder no/such"),
    ],
)
def test_one_line_says_what_is_wrong(backbone, photographs, capsys, words, said):
    words = [word.format(photographs=photographs) for word in words]
    assert run("evaluate", backbone, *words) == 2
    found = capsys.readouterr().err
    assert said in found
    assert found.count("\n") == 1


def test_test_set_that_lacks_a_class_is_scored_and_told(backbone, photographs, tmp_path, capsys):
    """Its classes have the numbers that they have among the photographs that are learned from."""
    whole = fill(tmp_path / "whole", 4, seed=5)
    first, *_ = sorted(path.name for path in whole.iterdir())
    shutil.rmtree(whole / first)
    assert run("evaluate", backbone, photographs, whole, "--with", "linear") == 0
    said = capsys.readouterr().out
    assert f"has no class {first}." in said
    assert "of 8 images, 36 labels" in said


def test_unknown_class_is_refused_before_anything_is_computed(
    backbone, photographs, tmp_path, capsys
):
    other = fill(tmp_path / "other", 2, seed=5)
    sorted(other.iterdir())[0].rename(other / "zebra")
    assert run("evaluate", backbone, photographs, other) == 2
    assert "Received: zebra, which" in capsys.readouterr().err


def test_classes_that_are_never_learned_are_told(backbone, tmp_path, capsys):
    """Of one photograph each, half are only scored."""
    folder = fill(tmp_path / "few", 1, seed=0)
    for number in range(12):
        (folder / f"more{number}").mkdir()
        shutil.copy(next(folder.rglob("*.*")), folder / f"more{number}" / f"{number}.png")
    run("evaluate", backbone, folder, "--with", "linear")
    assert "classes there is no photograph to learn from" in capsys.readouterr().out


def test_very_dark_photographs_are_photographs(backbone, photographs, tmp_path):
    """The last batch of 64 may be a single one, all but black."""
    folder = fill(tmp_path / "dark", 1, seed=0)
    for path in folder.rglob("*.*"):
        Image.new("RGB", (32, 32), (1, 1, 1)).save(path)
    assert run("evaluate", backbone, photographs, folder, "--with", "linear") == 0
