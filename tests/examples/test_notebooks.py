"""Notebooks are the examples, and run."""

import json
import os
import pathlib
import subprocess
import sys

import nbformat
import pytest

from tests.examples.test_examples import EXAMPLES, SAID, backbone

sys.path.append(str(EXAMPLES))

import make_notebooks

__all__ = ["backbone"]


def test_every_example_has_its_notebook():
    """If this fails, run examples/make_notebooks.py."""
    assert {path.stem for path in (EXAMPLES / "notebooks").glob("*.ipynb")} == {
        pathlib.Path(name).stem for name in SAID
    }
    for example in make_notebooks.EXAMPLES:
        text = (EXAMPLES / "notebooks" / f"{example}.ipynb").read_text(encoding="utf-8")
        assert text == make_notebooks.text_of(example)
        nbformat.validate(nbformat.reads(text, as_version=4))


def test_their_backbone_is_in_the_repository():
    assert (EXAMPLES / "notebooks" / make_notebooks.BACKBONE / "backbone.keras").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("example", ["classify", "retrieve"])
def test_cells_run_one_after_another(backbone, tmp_path, example):
    """In the notebooks' folder, as Jupyter runs them."""
    cells = json.loads(make_notebooks.text_of(example))["cells"]
    code = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "code")
    code = code.replace(make_notebooks.BACKBONE, str(backbone)).replace("EPOCHS = 10", "EPOCHS = 1")
    code = code.replace('"classifier.keras"', repr(str(tmp_path / "classifier.keras")))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=EXAMPLES / "notebooks",
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ},
    )
    assert done.returncode == 0, done.stderr[-3000:]
