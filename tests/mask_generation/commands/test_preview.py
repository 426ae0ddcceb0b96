import subprocess
import sys

from PIL import Image

from mask_generation.__main__ import main, parse_arguments


def run(*line):
    return main(parse_arguments(["mask_generation", "preview", *map(str, line)]))


def test_files_are_made_and_named(few, tmp_path, capsys):
    line = ("--out", tmp_path / "out", "--count", 2, "--method", "robust_background")
    assert run(few, *line) == 0
    page, sheet = (tmp_path / "out" / f"preview.{ending}" for ending in ("html", "png"))
    assert capsys.readouterr().out == f"{page}\n{sheet}\n"
    assert page.read_text(encoding="utf-8").count('class="card"') == 2
    Image.open(sheet).verify()


def test_preview_of_photographs_does_not_wait_for_tensorflow(few, tmp_path):
    line = ["m", "preview", str(few), "--out", str(tmp_path / "page.html")]
    code = (
        "import sys; from mask_generation.__main__ import main, parse_arguments; "
        f"main(parse_arguments({line!r})); print('tensorflow' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert out.splitlines()[-1] == b"False"
