"""A conversion that was stopped goes on, and ends in the same bytes."""

import errno
import importlib.metadata
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.conversion import convert as conversion
from mask_generation.conversion import plan
from mask_generation.conversion.convert import ConversionError, convert
from mask_generation.conversion.engines import pool
from mask_generation.conversion.per_photograph import example
from tests.locked import held_by_another

SHARDS = 6


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Twelve photographs, one of them unusable, one with a flagged mask."""
    folder = tmp_path_factory.mktemp("photos")
    for index in range(10):
        Image.fromarray(make_photograph(index)).save(folder / f"{index}.png")
    Image.new("RGB", (80, 60), "gray").save(folder / "3 grey.png")
    (folder / "5 empty.jpg").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def whole(photos, tmp_path_factory):
    """The records of a conversion that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole") / "out"
    manifest = _convert(photos, out)
    assert [shard.records for shard in manifest.shards] == [2, 2, 2, 1, 2, 2]
    assert manifest.flags == {"flat image": 1}
    return _contents(out)


def _convert(photos, out, **settings):
    fixed = {"images_per_shard": 2, "flagged": "keep", "also": ("grid",)}
    return convert(photos, out, **{"progress": False, **fixed, **settings})


def _contents(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _shards(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.tfrecord*"))}


def _stop_after(monkeypatch, shards: int, error: BaseException) -> None:
    write, count = plan.write_shard, []

    def stopping(path, results):
        if len(count) == shards:
            raise error
        count.append(path)
        return write(path, results)

    monkeypatch.setattr(plan, "write_shard", stopping)


def _interrupted(monkeypatch, photos, out, shards: int = 3) -> None:
    with monkeypatch.context() as patch:
        _stop_after(patch, shards, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            _convert(photos, out)


def _counted(monkeypatch) -> list[str]:
    """Names of the photographs that are read from here on."""
    make, names = pool.make_example, []

    def counting(source, settings):
        names.append(source.name)
        return make(source, settings)

    monkeypatch.setattr(pool, "make_example", counting)
    return names


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_killed_conversion_goes_on_to_the_same_bytes(photos, whole, tmp_path, workers):
    """SIGKILL, at a moment when some shards are finished and others are not."""
    out, partial = tmp_path / "out", tmp_path / "out.partial"
    line = [sys.executable, "-m", "mask_generation", "convert", str(photos), str(out)]
    line += ["--per-shard", "2", "--flagged", "keep", "--also", "grid"]
    line += ["--workers", str(workers)]
    process = subprocess.Popen(line, stderr=subprocess.DEVNULL, start_new_session=True)
    while not list(partial.glob("journal/0000[1-4].json")) and process.poll() is None:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if out.exists():
        pytest.skip("the conversion was faster than the signal")
    finished = len(list(partial.glob("journal/0000?.json")))
    assert 2 <= finished < SHARDS
    again = subprocess.run(line, capture_output=True, check=True)
    assert f"{finished} of 6 shards were finished before; continuing." in again.stderr.decode()
    assert _contents(out) == whole
    assert not partial.exists()


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_interrupted_conversion_reads_only_what_is_missing(
    photos, whole, tmp_path, monkeypatch, workers
):
    _interrupted(monkeypatch, photos, tmp_path / "out")
    names = _counted(monkeypatch) if workers == 1 else None
    _convert(photos, tmp_path / "out", workers=workers)
    assert _contents(tmp_path / "out") == whole
    if names is not None:
        assert names == sorted(path.name for path in photos.iterdir())[6:]


def test_failure_keeps_what_is_finished_and_says_so(photos, whole, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        _stop_after(patch, 2, OSError(28, "No space left on device"))
        sentence = (
            r"^The disk is full; .* 2 of 6 shards are finished and kept in .*out\.partial; th"
        )
        with pytest.raises(ConversionError, match=sentence):
            _convert(photos, tmp_path / "out")
    _convert(photos, tmp_path / "out")
    assert _contents(tmp_path / "out") == whole


def test_failure_in_the_first_shard_leaves_nothing(photos, tmp_path, monkeypatch):
    _stop_after(monkeypatch, 0, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        _convert(photos, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def ctrl_c():
    """What called the tests may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_interrupt_of_the_last_step_comes_after_it_and_says_so(
    photos, whole, tmp_path, monkeypatch, ctrl_c
):
    put_in_place = conversion.put_in_place

    def interrupted(*folders):
        os.kill(os.getpid(), signal.SIGINT)
        put_in_place(*folders)

    monkeypatch.setattr(conversion, "put_in_place", interrupted)
    with pytest.raises(KeyboardInterrupt, match=r"^interrupted; .*out is complete\.$"):
        _convert(photos, tmp_path / "out")
    assert _contents(tmp_path / "out") == whole
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def _changed_shard(partial: pathlib.Path) -> None:
    path = partial / "photos-train.tfrecord-00001-of-00006"
    path.write_bytes(path.read_bytes()[:-1] + b"x")


@pytest.mark.parametrize(
    "damage",
    [
        _changed_shard,
        lambda partial: (partial / "photos-train.tfrecord-00001-of-00006").unlink(),
        lambda partial: (partial / "journal" / "00001.json").write_text("{"),
        lambda partial: (partial / "journal" / "00001.json").unlink(),
    ],
    ids=["bytes", "shard gone", "note cut off", "note gone"],
)
def test_shard_that_is_not_whole_is_made_again(photos, whole, tmp_path, monkeypatch, damage):
    _interrupted(monkeypatch, photos, tmp_path / "out")
    damage(tmp_path / "out.partial")
    names = _counted(monkeypatch)
    _convert(photos, tmp_path / "out")
    assert names[:2] == ["2.png", "3 grey.png"]  # the two of the second shard
    assert len(names) == 8
    assert _contents(tmp_path / "out") == whole


@pytest.mark.parametrize("change", ["setting", "shards", "new photograph", "changed photograph"])
def test_other_settings_or_photographs_start_over_if_asked_to(
    photos, tmp_path, monkeypatch, capsys, change
):
    """Three of six shards were finished: hours of work are not removed without a word."""
    copy = shutil.copytree(photos, tmp_path / "photos")
    out = tmp_path / "out"
    _interrupted(monkeypatch, copy, out)
    settings = {}
    if change == "setting":
        settings = {"longest_side": 40}
    elif change == "shards":
        settings = {"images_per_shard": 3}
    else:
        name = "x.png" if change == "new photograph" else "0.png"
        Image.fromarray(make_photograph(99)).save(copy / name)
    begun = _shards(tmp_path / "out.partial")
    with pytest.raises(ConversionError, match=r"has 3 finished shards of a conversion with other"):
        _convert(copy, out, progress=True, **settings)
    assert _shards(tmp_path / "out.partial") == begun
    _convert(copy, out, progress=True, overwrite=True, **settings)
    assert "no finished shard of this conversion; starting over." in capsys.readouterr().err
    _convert(copy, tmp_path / "fresh", **settings)
    assert _contents(out) == _contents(tmp_path / "fresh")


def test_folder_that_another_process_converts_to_is_refused_and_left_alone(photos, tmp_path):
    """Its finished shards are still there; what it left behind when it was killed is no lock."""
    (tmp_path / "out.partial" / "journal").mkdir(parents=True)
    with (
        held_by_another(tmp_path / ".out.lock") as process,
        pytest.raises(ConversionError, match=rf"out is in use by process {process.pid} on "),
    ):
        _convert(photos, tmp_path / "out")
    assert (tmp_path / "out.partial" / "journal").exists()
    _convert(photos, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("killed", ["before_the_new_one", "after_it"])
def test_kill_while_records_are_replaced_loses_none(photos, whole, tmp_path, killed):
    """The older records were put aside; they come back unless the new ones have their place."""
    _convert(photos, tmp_path / "out")
    aside = tmp_path / ".out.replaced"
    if killed == "before_the_new_one":
        (tmp_path / "out").rename(aside)
    else:
        aside.mkdir()
    with pytest.raises(ConversionError, match=r"out exists\. Choose another folder"):
        _convert(photos, tmp_path / "out")
    if killed == "before_the_new_one":
        with pytest.raises(ConversionError, match=r"out exists\. Choose another folder"):
            _convert(photos, tmp_path / "out")
    assert _contents(tmp_path / "out") == whole


@pytest.mark.parametrize("linked", [False, True])
def test_other_masks_of_the_users_own_are_noticed(photos, tmp_path, monkeypatch, linked):
    """Also where the folder of masks is a link; another way to write its path is the same one."""
    masks = tmp_path / "masks"
    masks.mkdir()
    for path in photos.glob("[0-9].png"):
        Image.new("L", (80, 60), 255).save(masks / path.name)
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        _stop_after(patch, 3, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            _convert(photos, out, masks=masks)
    named = masks
    if linked:
        named = tmp_path / "link"
        named.symlink_to(masks)
    with monkeypatch.context() as patch:
        _stop_after(patch, 1, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt, match="kept in"):
            _convert(photos, out, masks=f"{named}/")
    os.utime(masks / "0.png", (1, 1))
    with pytest.raises(ConversionError, match="has 4 finished shards of a conversion with other"):
        _convert(photos, out, masks=named)


def test_flipped_bit_of_a_note_costs_its_shard_and_no_other(photos, whole, tmp_path, monkeypatch):
    """Three of six shards of two are finished; one of them and the others make eight."""
    _interrupted(monkeypatch, photos, tmp_path / "out")
    note = tmp_path / "out.partial" / "journal" / "00001.json"
    note.write_text(note.read_text().replace('"records": 2', '"records": 3'))
    names = _counted(monkeypatch)
    _convert(photos, tmp_path / "out")
    assert len(names) == 8
    assert _contents(tmp_path / "out") == whole


def test_bar_goes_on_and_the_rate_counts_what_was_done_now(photos, tmp_path, monkeypatch, capsys):
    _interrupted(monkeypatch, photos, tmp_path / "out")
    _convert(photos, tmp_path / "out", progress=True)
    printed = capsys.readouterr().err
    assert "3 of 6 shards were finished before; continuing." in printed
    assert " 6/12 " in printed
    assert "12/12" in printed
    assert "6 photographs in " in printed


def test_worker_processes_import_neither_tensorflow_nor_its_data_sets():
    """Each would wait for it; what the engine imports stays in the engine."""
    code = (
        "import sys, mask_generation.conversion.per_photograph.example; "
        "print([m for m in sys.modules if 'tensor' in m])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert out == b"[]\n"
    assert example.make_example is pool.make_example


def test_files_that_a_system_puts_into_the_folder_are_passed_over(
    photos, whole, tmp_path, monkeypatch
):
    _interrupted(monkeypatch, photos, tmp_path / "out")
    partial = tmp_path / "out.partial"
    for name in (".DS_Store", "Thumbs.db", "journal/._00000.json"):
        (partial / name).write_bytes(b"")
    (partial / "@eaDir").mkdir()
    names = _counted(monkeypatch)
    _convert(photos, tmp_path / "out")
    assert len(names) == 6
    found = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert {name: found[name].read_bytes() for name in whole} == whole
    _convert(photos, tmp_path / "out", overwrite=True)


def test_file_that_is_in_the_way_is_named(photos, tmp_path, monkeypatch):
    _interrupted(monkeypatch, photos, tmp_path / "out")
    (tmp_path / "out.partial" / "notes.txt").write_text("precious")
    with pytest.raises(ConversionError, match=r"but notes\.txt in it was not left by a conversion"):
        _convert(photos, tmp_path / "out")


@pytest.mark.parametrize("package", ["numpy", "pillow", "opencv-contrib-python-headless"])
def test_other_version_of_a_library_is_noticed(photos, tmp_path, monkeypatch, package):
    """Its shards could differ from the finished ones, and could not be repaired."""
    _interrupted(monkeypatch, photos, tmp_path / "out")
    version = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: "99" if name == package else version(name)
    )
    with pytest.raises(ConversionError, match=r"versions of libraries"):
        _convert(photos, tmp_path / "out")


@pytest.mark.parametrize("gone", ["share", "folder"])
def test_disk_that_goes_away_ends_the_conversion_and_costs_nothing(
    photos, whole, tmp_path, monkeypatch, gone
):
    """The rest of the photographs is not left out of finished shards."""
    copy = shutil.copytree(photos, tmp_path / "photos")
    read, count = pathlib.Path.read_bytes, []

    def reading(path):
        count.append(path)
        if len(count) == 6 and gone == "folder":
            copy.rename(tmp_path / "unmounted")
        if len(count) > 5 and gone == "share":
            raise OSError(errno.ESTALE, "Stale file handle")
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "read_bytes", reading)
        with pytest.raises(ConversionError, match=r"(Stale file|not there any more).* kept in"):
            _convert(copy, tmp_path / "out")
    if gone == "folder":
        (tmp_path / "unmounted").rename(copy)
    _convert(copy, tmp_path / "out")
    assert _contents(tmp_path / "out") == whole


def test_model_that_cannot_be_opened_is_no_fault_of_a_photograph(photos, tmp_path):
    model = tmp_path / "broken.keras"
    model.write_bytes(b"no model")
    with pytest.raises(ConversionError, match=r"^The model .*broken\.keras cannot be opened"):
        _convert(photos, tmp_path / "out", method="features", model=model)
