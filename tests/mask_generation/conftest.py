"""What several of these tests work on."""

import pathlib

import pytest
from PIL import Image

from conftest import make_photograph


@pytest.fixture
def few(tmp_path) -> pathlib.Path:
    """A flat folder of three photographs."""
    folder = tmp_path / "few"
    folder.mkdir()
    for index in range(3):
        Image.fromarray(make_photograph(index)).save(folder / f"{index}.png")
    return folder
