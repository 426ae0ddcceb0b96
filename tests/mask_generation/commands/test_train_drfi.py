import numpy as np
import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.__main__ import main, parse_arguments
from mask_generation.foreground import foreground_mask
from mask_generation.methods import named


def _run(*arguments) -> int:
    return main(parse_arguments(["mask_generation", "train-drfi", *map(str, arguments)]))


def _train(*arguments) -> int:
    return _run(*arguments, "--trees", "3", "--workers", "1")


@pytest.fixture
def forest(tmp_path):
    return tmp_path / "forest.npz"


def test_forest_without_labels_is_written_and_used(photographs, forest, capsys):
    assert _train(photographs, forest) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"3 trees, trained on 12 photographs of {photographs}, pseudo-labels of")
    rgb = make_photograph(40)
    mask = foreground_mask(rgb, named("drfi", str(forest))).mask
    assert mask[rgb.max(axis=-1) > 90].mean() > 0.8


def test_own_masks_are_learned_from_and_those_left_out_are_told(photographs, forest, capsys):
    masks = forest.parent / "masks" / "even"
    masks.mkdir(parents=True)
    for index in range(0, 12, 2):
        mask = (make_photograph(index).max(axis=-1) > 90).astype(np.uint8)
        Image.fromarray(mask).save(masks / f"{index:02d}.png")
    assert _train(photographs, forest, "--masks", masks.parent) == 0
    told = capsys.readouterr()
    assert "6 photographs" in told.out
    assert f"masks of {masks.parent}" in told.out
    assert told.err.count("left out: odd/") == 6


def test_older_forest_is_kept_unless_asked_for(photographs, forest, capsys):
    forest.write_text("precious")
    assert _train(photographs, forest) == 1
    assert "forest.npz exists. Choose another file or pass --overwrite." in capsys.readouterr().err
    assert forest.read_text() == "precious"
    assert _train(photographs, forest, "--overwrite") == 0
    assert named("drfi", str(forest))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("no/such", "f.npz"), "There is no folder no/such."),
        (("PHOTOS", "f.npz", "--masks", "no/such"), "There is no folder of masks no/such."),
        (("PHOTOS", "no/such/f.npz"), "no/such/f.npz could not be written"),
    ],
)
def test_failure_is_one_line_and_leaves_nothing(
    photographs, tmp_path, monkeypatch, capsys, arguments, sentence
):
    monkeypatch.chdir(tmp_path)
    arguments = [str(photographs) if word == "PHOTOS" else word for word in arguments]
    assert _train(*arguments) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert sentence in line
    assert list(tmp_path.iterdir()) == []


def test_labels_come_from_one_place_only(photographs, forest):
    with pytest.raises(SystemExit):
        _run(photographs, forest, "--masks", "m", "--pseudo", "felzenszwalb")
