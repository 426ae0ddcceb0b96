import csv
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.__main__ import main, parse_arguments
from mask_generation.methods import METHODS


@pytest.fixture
def folder(tmp_path):
    """Three photographs of a bright disc, and the disc."""
    for name in ("images", "masks"):
        (tmp_path / "discs" / name).mkdir(parents=True)
    for seed in range(3):
        rgb = make_photograph(seed)
        Image.fromarray(rgb).save(tmp_path / "discs" / "images" / f"{seed}.png")
        disc = (rgb.max(-1) > 110).astype(np.uint8)
        Image.fromarray(disc).save(tmp_path / "discs" / "masks" / f"{seed}.png")
    return tmp_path / "discs"


def run(*line):
    return main(parse_arguments(["mask_generation", "evaluate", *map(str, line)]))


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_table_is_printed_and_written(folder, tmp_path, capsys):
    table, scores = tmp_path / "table.csv", tmp_path / "scores.csv"
    assert run(folder, "--out", table, "--per-image", scores) == 0
    header, line = capsys.readouterr().out.splitlines()
    (row,) = rows(table)
    assert line.split()[:3] == ["discs", row["method"], "3"]
    assert header.split()[:4] == ["folder", "method", "photos", "IoU"]
    assert f"{float(row['IoU']):.3f}" in line
    assert float(row["IoU"]) > 0.8, "a bright disc on dark ground"
    assert [row["name"] for row in rows(scores)] == [f"images/{seed}.png" for seed in range(3)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["discs", "scores.csv", "table.csv"]


def test_all_methods_and_several_folders_are_a_row_each(folder, capsys, monkeypatch):
    monkeypatch.setitem(METHODS, "another", METHODS["robust_background"])
    assert run(folder, folder, "--method", "all") == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[1] for line in lines] == 2 * list(METHODS)


def test_method_with_a_model_is_scored(folder, tmp_path, capsys):
    pytest.importorskip("lightgbm")
    model = tmp_path / "drfi.json"
    photographs, masks = folder / "images", folder / "masks"
    line = ["train-drfi", str(photographs), str(model), "--masks", str(masks)]
    assert main(parse_arguments(["mask_generation", *line])) == 0
    capsys.readouterr()
    assert run(folder, "--method", "drfi", "--model", model) == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert "DRFI" in row
    assert "drfi.json" in row


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (("--method", "drfi"), "Expected a model for the method 'drfi'"),
        (("--method", "fast", "--model", "x"), "Expected no model for the method 'fast'"),
        (("--method", "all", "--model", "x"), "Expected method in"),
        (("--method", "drfi", "--model", "nowhere.json"), "nowhere.json"),
    ],
)
def test_method_and_model_that_do_not_belong_together_are_a_sentence(folder, capsys, line, problem):
    assert run(folder, *line) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert problem in error


def test_halves_are_scored_apart(folder, capsys):
    photographs = []
    for half in (0, 1):
        assert run(folder, "--half", half) == 0
        cells = capsys.readouterr().out.splitlines()[1].split()
        assert cells[2] == str(half)
        photographs.append(int(cells[3]))
    assert sum(photographs) == 3
    assert min(photographs) > 0


def test_failure_leaves_neither_table(folder, tmp_path, capsys):
    (folder / "masks" / "1.png").unlink()
    table, scores = tmp_path / "table.csv", tmp_path / "scores.csv"
    assert run(folder, "--out", table, "--per-image", scores) == 1
    assert "images/1.png has no mask" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["discs"]


def test_evaluation_does_not_wait_for_tensorflow(folder):
    code = (
        "import sys; from mask_generation.__main__ import main, parse_arguments; "
        f"main(parse_arguments(['m', 'evaluate', {str(folder)!r}])); "
        "print('tensorflow' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert out.splitlines()[-1] == b"False"
