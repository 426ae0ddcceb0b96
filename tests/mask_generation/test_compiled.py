"""Without a place for compiled code, and with damaged remains of it, a function still runs."""

import importlib.util
import os
import pathlib

import pytest

import harl_tf.data.compiled
import mask_generation.compiled

SOURCE = """
from {package}.compiled import compiled

@compiled()
def twice(number):
    return 2 * number
"""


@pytest.fixture(params=["mask_generation", "harl_tf.data"])
def load(request, tmp_path, monkeypatch):
    """Imports a file with a compiled function, as every process does anew; HOME holds no files."""
    monkeypatch.setenv("HOME", os.devnull)
    for name in ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "arithmetic.py"
    path.write_text(SOURCE.format(package=request.param))

    def load():
        spec = importlib.util.spec_from_file_location("arithmetic", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.twice

    return load


@pytest.fixture
def kept(tmp_path):
    """The folder next to the source where compiled code is kept."""
    return tmp_path / "__pycache__"


def _use_up(folder: pathlib.Path) -> None:
    """A file in place of a folder: nothing can be written there, not even by root."""
    if folder.exists():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    folder.touch()


def _hits(function) -> int:
    return sum(function.stats.cache_hits.values())


def test_code_is_kept_next_to_the_source(load, kept):
    assert load()(3) == 6
    again = load()
    assert again(3) == 6
    assert _hits(again) == 1
    assert {path.suffix for path in kept.iterdir()} >= {".nbi", ".nbc"}


def test_no_place_for_code_is_no_failure(load, kept):
    _use_up(kept)
    function = load()
    assert function.stats.cache_path is None
    assert function(3) == 6


def test_place_that_is_gone_at_the_first_call_is_no_failure(load, kept):
    function = load()
    assert function.stats.cache_path == str(kept)
    _use_up(kept)
    assert function(3) == 6


def test_disk_that_fills_up_is_no_failure_and_leaves_nothing(load, kept, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    function = load()
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        assert function(3) == 6
    assert [path for path in kept.iterdir() if path.name.startswith("arithmetic.twice")] == []


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("length", [0, 20, 200])
def test_damaged_code_is_compiled_again_and_replaced(load, kept, kind, length):
    load()(3)
    for path in kept.glob(f"*.{kind}"):
        path.write_bytes(path.read_bytes()[:length])
    damaged = load()
    assert damaged(3) == 6
    assert _hits(damaged) == 0
    again = load()
    assert again(3) == 6
    assert _hits(again) == 1


def test_both_packages_do_the_same():
    texts = [
        pathlib.Path(module.__file__).read_text(encoding="utf-8").split('"""', 2)[2]
        for module in (mask_generation.compiled, harl_tf.data.compiled)
    ]
    assert texts[0] == texts[1]
