"""The page on methods of one's own works as it stands: its method, its tests, its command line."""

import pathlib
import re
import subprocess
import sys

import pytest

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "your_own_method.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files that the page tells to save."""
    folder = tmp_path_factory.mktemp("page")
    text = PAGE.read_text(encoding="utf-8")
    for name, code in re.findall(r"<!-- (\w+\.py) -->\n```python\n(.*?)```", text, re.DOTALL):
        (folder / name).write_text(code, encoding="utf-8")
    return folder


def run(folder, *line) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *line], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_tests_of_the_page_pass(folder):
    assert "4 passed" in run(
        folder, "pytest", "-q", "-p", "no:cacheprovider", "test_barlow_twins.py"
    )


@pytest.mark.slow
def test_recipe_of_the_page_is_found(folder):
    printed = run(folder, "harl_tf", "recipes", "barlow_twins:RECIPE")
    assert printed.startswith("barlow_twins_small: Barlow Twins, small machine")
    assert re.search(r"redundancy_weight +0\.005 — the paper's λ", printed)
