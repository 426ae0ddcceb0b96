"""Names, addresses and the cache."""

import hashlib
import shutil
import tarfile

import pytest

import harl_tf
import harl_tf.zoo.places as places
from harl_tf.export import ExportError
from harl_tf.zoo import Preset, open_backbone
from harl_tf.zoo.places import downloaded, folder_of
from harl_tf.zoo.presets import PresetTable
from tests.networks import tiny_hapicl


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return harl_tf.export_backbone(tiny_hapicl(), tmp_path_factory.mktemp("zoo") / "mine")


@pytest.fixture(scope="module")
def archive(folder):
    """An archive with the folder in it."""
    path = folder.with_name("mine.tar.gz")
    with tarfile.open(path, "w:gz") as members:
        members.add(folder, "mine")
    return path


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HARL_TF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def known(monkeypatch, **fields):
    """A table of one preset, ``small``."""
    row = {
        **{"name": "small", "recipe": "harl_small", "data": "", "license": "", "epochs": 1},
        **{"image_size": 48, "parameters": 1, "metrics": {}, "megabytes": 1.0},
    }
    table = PresetTable([Preset(**{**row, **fields})])
    monkeypatch.setattr(places, "list_presets", lambda: table)


def test_run_and_its_backbone_are_the_same(folder, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "backbone").symlink_to(folder)
    assert folder_of(run) == run / "backbone"
    assert folder_of(folder) == folder


def test_archive_is_downloaded_once(archive, cache):
    url = archive.as_uri()
    assert "P3" in harl_tf.load_backbone(url).output
    other = archive.rename(archive.with_suffix(".away"))
    try:
        assert "P3" in harl_tf.load_backbone(url).output
    finally:
        other.rename(archive)
    assert len(list(cache.iterdir())) == 1


def test_two_downloads_at_once_leave_a_whole_one(archive, cache, monkeypatch):
    """Another process has put it there meanwhile."""
    fetched = places._fetched

    def slowly(*arguments):
        path = fetched(*arguments)
        monkeypatch.setattr(places, "_fetched", fetched)
        downloaded(archive.as_uri())
        return path

    monkeypatch.setattr(places, "_fetched", slowly)
    assert "P3" in harl_tf.load_backbone(archive.as_uri()).output
    assert len(list(cache.iterdir())) == 1


def test_cache_that_somebody_tidied_up_is_filled_again(archive, cache):
    (downloaded(archive.as_uri()) / "SHA256SUMS").unlink()
    assert "P3" in harl_tf.load_backbone(archive.as_uri()).output


def test_archive_of_a_damaged_export_is_not_kept(folder, tmp_path, cache):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "saved_model.pb").write_bytes(b"")
    with tarfile.open(tmp_path / "copy.tar", "w") as members:
        members.add(copy, "copy")
    with pytest.raises(ExportError, match=r"saved_model\.pb has changed"):
        downloaded((tmp_path / "copy.tar").as_uri())
    assert list(cache.iterdir()) == []


def test_preset_is_downloaded_by_its_name_and_checksum(monkeypatch, archive):
    right = hashlib.sha256(archive.read_bytes()).hexdigest()
    known(monkeypatch, url=archive.as_uri(), sha256=right)
    assert "P3" in harl_tf.load_backbone("small").output
    assert "P3" in open_backbone("small").output


def test_other_checksum_is_refused(monkeypatch, archive, cache):
    known(monkeypatch, url=archive.as_uri(), sha256="0" * 64)
    with pytest.raises(ExportError, match=r"cannot be downloaded: .*hash does not match"):
        harl_tf.load_backbone("small")
    assert not list(cache.glob("*/mine"))


def test_preset_in_the_repository_is_taken_from_there(monkeypatch, folder):
    monkeypatch.setattr(places, "_REPOSITORY", folder.parent)
    known(monkeypatch, name="mine")
    assert folder_of("mine") == folder


def test_preset_outside_the_repository_says_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setattr(places, "_REPOSITORY", tmp_path)
    known(monkeypatch)
    with pytest.raises(ExportError, match=r"in pretrained/small of harl_tf's repository"):
        folder_of("small")


def test_folder_comes_before_a_preset_of_that_name(monkeypatch, tmp_path):
    known(monkeypatch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small").mkdir()
    with pytest.raises(ExportError, match="small is not an exported backbone"):
        harl_tf.load_backbone("small")


@pytest.mark.parametrize("name", ["smal", "harl_small"])
def test_unknown_name_is_answered_with_the_nearest(monkeypatch, name):
    known(monkeypatch)
    with pytest.raises(ExportError, match=rf"no folder {name}\..*Presets are small;"):
        harl_tf.load_backbone(name)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be downloaded: .*Without a network"),
        (b"", "is no whole tar archive"),
        (b"not an archive", "is no whole tar archive"),
        ("half", "is no whole tar archive"),
        ("other", "is no archive of a folder that export_backbone wrote"),
    ],
)
def test_bad_address_is_one_sentence(tmp_path, archive, cache, content, words):
    path = tmp_path / "given.tar.gz"
    if content == "half":
        path.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    elif content == "other":
        (tmp_path / "note.txt").write_text("mine")
        with tarfile.open(path, "w") as members:
            members.add(tmp_path / "note.txt", "note.txt")
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(ExportError, match=words):
        downloaded(path.as_uri())
    assert list(cache.iterdir()) == []


def test_file_that_would_leave_the_cache_is_not_written(tmp_path, archive, cache):
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as members:
        members.add(archive, "../../evil")
    with pytest.raises(ExportError):
        downloaded(path.as_uri())
    assert not (tmp_path / "evil").exists()


def test_damaged_copy_in_the_cache_is_downloaded_again(archive, cache):
    place = downloaded(archive.as_uri())
    (place / "backbone.keras").write_bytes(b"")
    assert "P3" in harl_tf.load_backbone(archive.as_uri()).output
    assert len(list(cache.iterdir())) == 1


def test_archive_that_unpacks_to_more_than_a_backbone_is_refused(archive, cache, monkeypatch):
    monkeypatch.setattr(places, "_LARGEST", 1000)
    with pytest.raises(ExportError, match=r"unpacks to .* bytes, more than a backbone has"):
        downloaded(archive.as_uri())
    assert not list(cache.iterdir())
