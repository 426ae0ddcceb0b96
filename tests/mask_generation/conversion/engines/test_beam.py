"""The direct runner must write what the processes of one machine do."""

import dataclasses
import importlib.util
import pathlib
import sys
import tarfile

import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.conversion import plan
from mask_generation.conversion.convert import ConversionError, convert
from mask_generation.conversion.engines import beam

needs_beam = pytest.mark.skipif(
    importlib.util.find_spec("apache_beam") is None, reason="Apache Beam is not installed"
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for index in range(9):
        Image.fromarray(make_photograph(index)).save(folder / f"{index}.png")
    Image.new("RGB", (80, 60), "gray").save(folder / "3 grey.png")
    (folder / "5 empty.jpg").write_bytes(b"")
    return folder


def _convert(photos, out, **settings):
    fixed = {"images_per_shard": 3, "flagged": "keep", "also": ("grid",)}
    return convert(photos, out, **{"progress": False, **fixed, **settings})


def _contents(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@needs_beam
def test_beam_writes_the_same_bytes_as_the_pool(photos, tmp_path):
    manifests = [
        _convert(photos, tmp_path / engine, engine=engine, workers=1) for engine in ("pool", "beam")
    ]
    assert manifests[0] == manifests[1]
    assert manifests[0].records == 10
    assert _contents(tmp_path / "beam") == _contents(tmp_path / "pool")


@needs_beam
def test_beam_reads_a_compressed_tar(photos, tmp_path):
    """Each shard begins somewhere in the stream."""
    with tarfile.open(tmp_path / "t.tgz", "w:gz") as tar:
        for path in sorted(photos.iterdir()):
            tar.add(path, path.name)
    _convert(tmp_path / "t.tgz", tmp_path / "beam", engine="beam")
    _convert(photos, tmp_path / "pool")
    shards = [
        sorted(folder.glob("*.tfrecord-*")) for folder in (tmp_path / "beam", tmp_path / "pool")
    ]
    assert [path.read_bytes() for path in shards[0]] == [path.read_bytes() for path in shards[1]]


@needs_beam
def test_beam_goes_on_where_the_pool_was_interrupted(photos, tmp_path, monkeypatch):
    _convert(photos, tmp_path / "whole")
    write, made = plan.write_shard, []

    def stopping(path, results):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(path)
        return write(path, results)

    with monkeypatch.context() as patch:
        patch.setattr(plan, "write_shard", stopping)
        with pytest.raises(KeyboardInterrupt):
            _convert(photos, tmp_path / "out")
    assert len(list((tmp_path / "out.partial").glob("journal/0000?.json"))) == 2
    _convert(photos, tmp_path / "out", engine="beam")
    assert _contents(tmp_path / "out") == _contents(tmp_path / "whole")


@needs_beam
def test_failure_of_the_pipeline_is_one_sentence(photos, tmp_path, monkeypatch):
    def fail(index, conversion):
        raise RuntimeError("no luck")

    monkeypatch.setattr(beam, "make_shard", fail)
    with pytest.raises(ConversionError, match=r"the Beam pipeline failed: .*no luck") as error:
        _convert(photos, tmp_path / "out", engine="beam")
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_worker_that_sees_other_photographs_stops(photos, tmp_path, monkeypatch):
    """What each Beam worker checks; no Beam is needed for it."""
    seen = []
    monkeypatch.setattr(beam, "run", lambda plan, *_: seen.append(plan))
    with pytest.raises(ConversionError, match=r"Only 0 of 4 shards .* must see the same folder"):
        _convert(photos, tmp_path / "out", engine="beam")
    other = dataclasses.replace(seen[0], fingerprint="another")
    with pytest.raises(OSError, match="a worker sees other photographs"):
        beam.make_shard(0, other)


def test_without_beam_it_is_said_what_to_install(photos, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(ConversionError, match=r"Install it: pip install 'harl_tf\[beam\]'"):
        _convert(photos, tmp_path / "out", engine="beam")
