import collections
import itertools
import shutil

import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.conversion import disk_space
from mask_generation.conversion.convert import ConversionError, convert

Usage = collections.namedtuple("Usage", "total used free")


def test_records_that_cannot_fit_are_refused_before_anything_is_written(tmp_path, monkeypatch):
    """Two JPEG files of about 6 kB, of which half is certain, and 3,000 bytes."""
    (tmp_path / "photos").mkdir()
    for index in range(2):
        path = tmp_path / "photos" / f"{index}.jpg"
        Image.fromarray(make_photograph(index)).save(path, quality=99)
    size = sum(path.stat().st_size for path in (tmp_path / "photos").iterdir())
    assert size > 8000
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**6, 10**6, 3000))
    with pytest.raises(ConversionError, match=r"need 0\.0 MB more at least; 0\.0 MB are free"):
        convert(tmp_path / "photos", tmp_path / "out", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_other_formats_may_become_ten_times_smaller(tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    for index in range(2):
        Image.fromarray(make_photograph(index)).save(tmp_path / "photos" / f"{index}.png")
    size = sum(path.stat().st_size for path in (tmp_path / "photos").iterdir())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**6, 0, size // 5))
    files = [str(path) for path in (tmp_path / "photos").iterdir()]
    settings = disk_space.Settings("grid", None, "keep")
    assert disk_space.check_before(files, settings, tmp_path / "out.partial") is None


def test_what_is_left_is_known_from_what_is_finished(capsys, few, tmp_path, monkeypatch):
    """Space for everything at first, for nothing after the first of three shards: said once."""
    free = itertools.chain([10**9], itertools.repeat(0))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 0, next(free)))
    assert convert(few, tmp_path / "out", images_per_shard=1).records == 3
    assert capsys.readouterr().err.count("The other records will take about") == 1


def test_much_is_said_before(capsys, few, tmp_path, monkeypatch):
    monkeypatch.setattr(disk_space, "_size", lambda _: 50 * 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, 5 * 10**11))
    convert(few, tmp_path / "out")
    assert "The records will take at least 15.0 GB; 500.0 GB are free." in capsys.readouterr().err
