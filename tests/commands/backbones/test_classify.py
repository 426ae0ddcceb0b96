"""``python -m harl_tf classify`` and ``predict``, as somebody with class folders uses them."""

import csv
import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

import harl_tf
from harl_tf.commands import main, parse_arguments

COLORS = {"red apples": (200, 40, 40), "grün": (40, 190, 60), "blue": (40, 60, 200)}


def run(*words) -> int:
    return main(parse_arguments(["harl_tf", *map(str, words)]))


def fill(folder, count, seed):
    """Photographs of one color each, in folders of their color's name."""
    random = np.random.default_rng(seed)
    for name, color in COLORS.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.clip(np.array(color) + random.normal(0, 25, (40, 52, 3)), 0, 255)
            Image.fromarray(pixels.astype("uint8")).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    model = harl_tf.SimSiam(harl_tf.backbones.small_resnet(10, width=8), 16, 8)
    card = harl_tf.export.Card(image_size=32)
    return harl_tf.export_backbone(model, tmp_path_factory.mktemp("run") / "backbone", card)


@pytest.fixture(scope="module")
def classifier(backbone, tmp_path_factory):
    place = tmp_path_factory.mktemp("classify")
    folder = fill(place / "photographs", 10, seed=0)
    (folder / "blue" / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    assert run("classify", folder, backbone, place / "classifier") == 0
    return place / "classifier"


def test_classifier_knows_its_classes_and_its_size(classifier):
    facts = json.loads((classifier / "classifier.json").read_text())
    assert facts["classes"] == sorted(COLORS)
    assert facts["image_size"] == 32
    assert facts["photographs"] == 30
    assert facts["measured"].startswith("linear 1.00 ± .11 of 6 images, chance .33")


def test_predictions_are_right_and_probabilities(classifier, tmp_path):
    photographs = fill(tmp_path / "photographs", 4, seed=1)
    assert run("predict", photographs, classifier, tmp_path / "out.csv") == 0
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert len(rows) == 12
    for row in rows:
        assert row["class"] == row["file"].split("/")[0]
        shares = [float(row[name]) for name in COLORS]
        assert sum(shares) == pytest.approx(1, abs=1e-3)
        assert float(row["probability"]) == max(shares)


def test_model_is_plain_keras_and_goes_on_learning(classifier):
    model = keras.saving.load_model(classifier / "classifier.keras")
    model.compile(keras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy")
    before = model.get_weights()
    images = np.random.default_rng(0).uniform(0, 255, (6, 32, 32, 3))
    model.fit(images, np.arange(6) % 3, verbose=0)
    assert all(map(lambda old, new: np.any(old != new), before, model.get_weights()))


def test_broken_photograph_is_named(backbone, tmp_path, capsys):
    folder = fill(tmp_path / "photographs", 2, seed=0)
    (folder / "blue" / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    assert run("classify", folder, backbone, tmp_path / "classifier") == 0
    assert "1 left out; the first: blue/broken.jpg, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: None, "There is no folder"),
        (lambda folder: fill(folder, 1, 0).joinpath("grün").rename(folder.parent / "away"), ""),
        (lambda folder: (folder / "one").mkdir(parents=True), "No photograph in"),
    ],
)
def test_folder_that_will_not_do_is_one_line(backbone, tmp_path, capsys, change, words):
    change(tmp_path / "photographs")
    code = run("classify", tmp_path / "photographs", backbone, tmp_path / "classifier")
    said = capsys.readouterr().err
    if words:
        assert code == 2
        assert words in said
        assert said.count("\n") == 1
    else:
        assert code == 0  # two classes are left, of one photograph each


def test_photographs_without_classes_are_refused(backbone, tmp_path, capsys):
    Image.new("RGB", (40, 40)).save(tmp_path / "one.png")
    assert run("classify", tmp_path, backbone, tmp_path / "classifier") == 2
    assert "Expected one subfolder per class" in capsys.readouterr().err


def test_folder_with_something_else_is_left_alone(backbone, tmp_path, capsys):
    (tmp_path / "note.txt").write_text("mine")
    assert run("classify", tmp_path, backbone, tmp_path) == 2
    assert "note.txt is no part of a classifier" in capsys.readouterr().err
    assert (tmp_path / "note.txt").read_text() == "mine"


def test_classifier_with_something_beside_it_is_left_alone(classifier, backbone, tmp_path, capsys):
    """Such as predictions, or the output of something else that has a file of that name."""
    folder = tmp_path / "classifier"
    shutil.copytree(classifier, folder)
    (folder / "predictions.csv").write_text("mine")
    photographs = fill(tmp_path / "photographs", 2, seed=0)
    assert run("classify", photographs, backbone, folder) == 2
    assert "predictions.csv is no part of a classifier" in capsys.readouterr().err
    assert (folder / "predictions.csv").read_text() == "mine"
    (folder / "predictions.csv").unlink()
    assert run("classify", photographs, backbone, folder) == 0


def test_few_photographs_do_not_make_probabilities_certain(classifier, tmp_path):
    """Six right answers of six are at most (6 + 1) / (6 + 3) sure on average."""
    photographs = fill(tmp_path / "photographs", 4, seed=1)
    assert run("predict", photographs, classifier, tmp_path / "out.csv") == 0
    rows = csv.DictReader((tmp_path / "out.csv").read_text().splitlines())
    assert 0.5 < np.mean([float(row["probability"]) for row in rows]) < 0.9


def test_network_of_another_size_is_one_line(tmp_path, capsys):
    image = keras.Input((32, 32, 3))
    tokens = keras.layers.Reshape((4, 4, 192))(keras.layers.Flatten()(image))
    keras.Model(image, {"P3": keras.layers.Conv2D(4, 1)(tokens)}).save(tmp_path / "fixed.keras")
    photographs = fill(tmp_path / "photographs", 2, seed=0)
    words = (tmp_path / "fixed.keras", tmp_path / "out", "--from-values", "raw")
    assert run("classify", photographs, *words, "--image-size", 64) == 2
    assert "takes images of 32×32 pixels only, not 64" in capsys.readouterr().err
    assert run("classify", photographs, *words) == 0
    assert json.loads((tmp_path / "out" / "classifier.json").read_text())["image_size"] == 32


@pytest.mark.parametrize("damage", ["missing", "truncated", "other"])
def test_damaged_classifier_is_one_line(classifier, tmp_path, capsys, damage):
    folder = tmp_path / "classifier"
    folder.mkdir()
    for path in classifier.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    if damage == "missing":
        (folder / "classifier.keras").unlink()
    elif damage == "truncated":
        path = folder / "classifier.keras"
        path.write_bytes(path.read_bytes()[:1000])
    else:
        (folder / "classifier.json").write_text("[]")
    Image.new("RGB", (40, 40)).save(tmp_path / "one.png")
    assert run("predict", tmp_path, folder, tmp_path / "out.csv") == 2
    said = capsys.readouterr().err
    assert "is no classifier that" in said
    assert said.count("\n") == 1


def test_presets_are_listed(capsys):
    assert run("presets") == 0
    assert capsys.readouterr().out == f"{harl_tf.list_presets()}\n"
