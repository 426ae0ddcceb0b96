"""Folders that are replaced: the old one or the new one is there, whatever happens."""

import os
import subprocess
import sys

import pytest

from harl_tf.files import foreign, whole_folder, write_text
from mask_generation.lock import LockedError


@pytest.fixture
def folder(tmp_path):
    with whole_folder(tmp_path / "results") as partial:
        (partial / "old.txt").write_text("old")
    return tmp_path / "results"


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_folder_is_replaced_and_nothing_else_is_left(folder):
    with whole_folder(folder) as partial:
        (partial / "new.txt").write_text("new")
        assert names(folder) == ["old.txt"]
    assert names(folder) == ["new.txt"]
    assert names(folder.parent) == ["results"]


def test_failure_leaves_the_old_folder(folder):
    with pytest.raises(RuntimeError), whole_folder(folder):
        raise RuntimeError
    assert names(folder) == ["old.txt"]
    assert names(folder.parent) == ["results"]


@pytest.mark.parametrize("error", [PermissionError, KeyboardInterrupt])
def test_failing_rename_leaves_the_old_folder(folder, monkeypatch, error):
    """When the new folder is to take the place of the old one."""
    rename = os.replace

    def fail(source, target):
        if str(source).endswith(".partial"):
            raise error
        rename(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(error), whole_folder(folder) as partial:
        (partial / "new.txt").write_text("new")
    assert names(folder) == ["old.txt"]


def test_old_folder_that_a_killed_process_moved_away_comes_back(folder, monkeypatch):
    """Killed between the two renames; the next attempt fails, too."""
    folder.rename(folder.with_name(".results.replaced"))
    rename = os.replace

    def fail(source, target):
        if str(source).endswith(".partial"):
            raise PermissionError
        rename(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(PermissionError), whole_folder(folder):
        pass
    assert names(folder) == ["old.txt"]


def test_foreign_entries_are_found_in_the_folder_and_beside_it(folder):
    assert foreign(folder, ["old.txt"]) is None
    (folder / "mine.txt").write_text("mine")
    assert foreign(folder, ["old.txt"]) == folder / "mine.txt"
    assert foreign(folder / "mine.txt", []) == folder / "mine.txt"
    beside = folder.with_name("other.partial")
    beside.mkdir()
    (beside / "mine.txt").write_text("mine")
    assert foreign(folder.with_name("other"), ["old.txt"]) == beside / "mine.txt"


def test_two_processes_do_not_write_one_folder(folder):
    """The other process names the one that holds the folder: this one."""
    other = "import sys; from harl_tf.files import whole_folder as f; f(sys.argv[1]).__enter__()"
    with whole_folder(folder) as partial:
        (partial / "new.txt").write_text("new")
        ended = subprocess.run(
            [sys.executable, "-c", other, str(folder)], capture_output=True, text=True
        )
    assert LockedError.__name__ in ended.stderr
    assert f"{folder} is in use by process {os.getpid()} on " in ended.stderr
    assert names(folder) == ["new.txt"]
    assert names(folder.parent) == ["results"]


def test_lock_of_a_killed_process_is_none(folder):
    folder.with_name(".results.lock").touch()
    with whole_folder(folder) as partial:
        (partial / "new.txt").write_text("new")
    assert names(folder.parent) == ["results"]


def test_two_writers_of_one_file_have_names_of_their_own(tmp_path, monkeypatch):
    """What the other has written meanwhile is whole, and replaced."""
    path, rename = tmp_path / "table.csv", os.replace

    def meanwhile(source, target):
        monkeypatch.setattr(os, "replace", rename)
        write_text(path, "other")
        assert path.read_text() == "other"
        rename(source, target)

    monkeypatch.setattr(os, "replace", meanwhile)
    write_text(path, "mine")
    assert path.read_text() == "mine"
    assert names(tmp_path) == ["table.csv"]
