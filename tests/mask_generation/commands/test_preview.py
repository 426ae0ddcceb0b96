import subprocess
import sys

import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.__main__ import main, parse_arguments


@pytest.fixture
def photographs(tmp_path):
    (tmp_path / "in").mkdir()
    for seed in range(3):
        Image.fromarray(make_photograph(seed)).save(tmp_path / "in" / f"{seed}.png")
    return tmp_path / "in"


def run(*line):
    return main(parse_arguments(["mask_generation", "preview", *map(str, line)]))


def test_files_are_made_and_named(photographs, tmp_path, capsys):
    line = ("--out", tmp_path / "out", "--count", 2, "--method", "robust_background")
    assert run(photographs, *line) == 0
    page, sheet = (tmp_path / "out" / f"preview.{ending}" for ending in ("html", "png"))
    assert capsys.readouterr().out == f"{page}\n{sheet}\n"
    assert page.read_text(encoding="utf-8").count('class="card"') == 2
    Image.open(sheet).verify()


def test_preview_of_photographs_does_not_wait_for_tensorflow(photographs, tmp_path):
    line = ["m", "preview", str(photographs), "--out", str(tmp_path / "page.html")]
    code = (
        "import sys; from mask_generation.__main__ import main, parse_arguments; "
        f"main(parse_arguments({line!r})); print('tensorflow' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert out.splitlines()[-1] == b"False"
