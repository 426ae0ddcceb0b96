import errno
import shutil

import pytest
from PIL import Image

from conftest import make_photograph
from harl_tf.data.manifest import QUARANTINE, RecordsError
from mask_generation.conversion import plan
from mask_generation.conversion.checking.quarantine import quarantine
from mask_generation.conversion.checking.repair import repair
from mask_generation.conversion.checking.verify import verify
from mask_generation.conversion.convert import ConversionError, convert
from mask_generation.conversion.engines import pool
from mask_generation.conversion.per_photograph import example
from tests.locked import held_by_another


@pytest.fixture
def photos(tmp_path):
    """Two classes of four photographs, and a file that is left out."""
    for index in range(8):
        folder = tmp_path / "photos" / ("even", "odd")[index % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(make_photograph(index)).save(folder / f"{index}.jpg")
    (tmp_path / "photos" / "odd" / "2.jpg").write_bytes(b"no photograph")
    return tmp_path / "photos"


@pytest.fixture
def folder(photos, tmp_path):
    """Their records in three shards."""
    out = tmp_path / "records"
    convert(photos, out, images_per_shard=3, progress=False, longest_side=64, also=("grid",))
    return out


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def shards(folder):
    return sorted(folder.glob("*.tfrecord-*"))


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_damaged_files_have_their_bytes_again(photos, folder, workers):
    before = contents(folder)
    flip(shards(folder)[0])
    shards(folder)[2].unlink()
    flip(folder / "features.json")
    (folder / "dataset_info.json").write_bytes(b"")
    made = repair(folder, photos, workers=workers, progress=False)
    assert sorted(made) == sorted(
        [shards(folder)[0].name, shards(folder)[2].name, "features.json", "dataset_info.json"]
    )
    assert contents(folder) == before
    assert not (folder.parent / ".records.repair").exists()


def test_whole_folder_is_left_alone(photos, folder):
    before = contents(folder)
    assert repair(folder, photos, progress=False) == []
    assert contents(folder) == before


def test_quarantine_ends(photos, folder):
    before = contents(folder)
    flip(shards(folder)[1])
    quarantine(folder)
    assert repair(folder, photos, progress=False) == [shards(folder)[1].name]
    assert contents(folder) == before
    assert not (folder / QUARANTINE).exists()


def test_other_photographs_change_nothing(photos, folder):
    flip(shards(folder)[1])
    before = contents(folder)
    (photos / "even" / "6.jpg").write_bytes((photos / "even" / "4.jpg").read_bytes())
    with pytest.raises(ConversionError, match="would have other bytes than before"):
        repair(folder, photos, progress=False)
    assert contents(folder) == before
    assert not (folder.parent / ".records.repair").exists()


def test_what_can_be_made_again_is_in_place(photos, folder):
    """The first shard is as it was, the second has a photograph that is another one now."""
    before = contents(folder)
    for path in shards(folder)[:2]:
        flip(path)
    damaged = shards(folder)[1].read_bytes()
    (photos / "even" / "6.jpg").write_bytes((photos / "even" / "4.jpg").read_bytes())
    with pytest.raises(ConversionError, match=r"00001-of-00003 .* 1 of 2 files were made again"):
        repair(folder, photos, progress=False)
    assert shards(folder)[0].read_bytes() == before[shards(folder)[0].name]
    assert shards(folder)[1].read_bytes() == damaged


def test_photographs_that_were_left_out_are_not_looked_at(photos, folder, monkeypatch):
    """It may have taken too long, or the memory."""
    before = contents(folder)
    for path in shards(folder):
        path.unlink()
    seen, make = [], example.make_example

    def counting(source, settings):
        seen.append(source.name)
        return make(source, settings)

    monkeypatch.setattr(pool, "make_example", counting)
    repair(folder, photos, progress=False)
    assert contents(folder) == before
    assert len(seen) == 8
    assert "odd/2.jpg" not in seen


def test_failure_is_a_sentence_and_what_was_made_is_kept(photos, folder, monkeypatch):
    before = contents(folder)
    for path in shards(folder)[:2]:
        flip(path)
    write, calls = plan.write_shard, []

    def full(path, results):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, results)

    with monkeypatch.context() as patch:
        patch.setattr(plan, "write_shard", full)
        with pytest.raises(ConversionError, match=r"The disk is full; .* is kept in .*\.repair;"):
            repair(folder, photos, progress=False)
    repair(folder, photos, progress=False)
    assert contents(folder) == before
    assert not (folder.parent / ".records.repair").exists()


def test_folder_of_that_name_is_left_alone(photos, folder):
    flip(shards(folder)[1])
    precious = folder.parent / ".records.repair" / "precious"
    precious.parent.mkdir()
    precious.write_text("mine")
    with pytest.raises(ConversionError, match=r"\.records\.repair is needed"):
        repair(folder, photos, progress=False)
    assert precious.read_text() == "mine"


def test_more_photographs_are_refused(photos, folder):
    flip(shards(folder)[1])
    shutil.copy(photos / "even" / "0.jpg", photos / "even" / "9.jpg")
    with pytest.raises(ConversionError, match="from 9 photographs; there are 10 now"):
        repair(folder, photos, progress=False)


def test_photographs_that_are_not_there_are_refused(folder):
    flip(shards(folder)[1])
    with pytest.raises(ConversionError, match="There is no folder"):
        repair(folder, "no/such/folder", progress=False)


def test_file_of_another_kind_is_not_removed(photos, folder):
    extra = folder / "photos-train.tfrecord-00003-of-00004"
    extra.write_bytes(b"mine")
    with pytest.raises(ConversionError, match=r"is not in the manifest\. Remove it"):
        repair(folder, photos, progress=False)
    assert extra.read_bytes() == b"mine"


def test_manifest_cannot_be_repaired(photos, folder):
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(RecordsError, match="Convert the photographs again"):
        repair(folder, photos, progress=False)


def test_folder_in_use_is_refused(photos, folder):
    flip(shards(folder)[1])
    before = contents(folder)
    with (
        held_by_another(folder.parent / ".records.lock"),
        pytest.raises(ConversionError, match="process"),
    ):
        repair(folder, photos, progress=False)
    assert contents(folder) == before


def test_own_masks_are_needed_again(photos, tmp_path):
    masks = tmp_path / "masks"
    for path in photos.rglob("*.jpg"):
        mask = masks / path.relative_to(photos).with_suffix(".png")
        mask.parent.mkdir(parents=True, exist_ok=True)
        side = Image.new("L", (96, 64))
        side.paste(255, (10, 10, 40, 40))
        side.resize(Image.open(path).size if path.stat().st_size > 99 else (8, 8)).save(mask)
    out = tmp_path / "own"
    convert(photos, out, masks=masks, images_per_shard=3, progress=False)
    before = contents(out)
    flip(shards(out)[0])
    with pytest.raises(ConversionError, match="Expected masks together with the method 'files'"):
        repair(out, photos, progress=False)
    repair(out, photos, masks=masks, progress=False)
    assert contents(out) == before
    assert verify(out, deep=True).records == 8


def test_name_that_occurs_twice_is_made_again(photos, tmp_path):
    """The first of the two is a photograph, the second was left out."""
    listing = tmp_path / "list.txt"
    listing.write_text("photos/even/0.jpg\nphotos/even/0.jpg\nphotos/even/2.jpg\n")
    out = tmp_path / "records"
    convert(listing, out, images_per_shard=1, progress=False, flagged="keep")
    before = contents(out)
    shards(out)[0].unlink()
    repair(out, listing, progress=False)
    assert contents(out) == before


def test_classes_are_found_as_they_were(photos, tmp_path):
    """In test, a folder beside more loose photographs is no class, whichever way it is opened."""
    for index in range(4):
        photos.joinpath("train", "even" if index % 2 else "odd").mkdir(parents=True, exist_ok=True)
    for path in sorted(photos.glob("[eo]*/*.jpg")):
        path.rename(photos / "train" / path.parent.name / path.name)
    for index in range(5):
        path = photos / "test" / ("misc" if index == 4 else "") / f"{index}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(make_photograph(index)).save(path)
    for name in ("even", "odd"):
        (photos / name).rmdir()
    out = tmp_path / "records"
    assert convert(photos, out, progress=False).classes == ("even", "odd")
    before = contents(out)
    shards(out)[0].unlink()
    repair(out, photos, progress=False)
    assert contents(out) == before
