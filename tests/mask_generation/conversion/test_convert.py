import errno
import io
import os
import pathlib
import subprocess
import tarfile

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from conftest import make_photograph
from harl_tf.data.manifest import MaskInfo, read_manifest
from harl_tf.data.records import decode_image, decode_mask, decode_regions, parse
from mask_generation.conversion.checking.verify import verify
from mask_generation.conversion.convert import ConversionError, convert
from mask_generation.conversion.folder.describe import describe
from mask_generation.conversion.per_photograph import example
from mask_generation.result import ForegroundMask


def _read(folder: pathlib.Path) -> list[dict]:
    files = sorted(str(path) for path in folder.glob("*.tfrecord-*"))
    return [
        {key: value.numpy() for key, value in parse(item).items()}
        for item in tf.data.TFRecordDataset(files)
    ]


def _contents(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _left_nothing(out: pathlib.Path) -> bool:
    return not list(out.parent.glob(out.name + "*"))


def test_every_photograph_is_stored_with_label_and_mask_of_its_size(photographs, records):
    stored = _read(records)
    assert len(stored) == 12
    names = [record["name"].decode() for record in stored]
    assert names == sorted(names)
    assert [record["label"] for record in stored] == [0] * 6 + [1] * 6
    for record in stored:
        assert decode_image(record["image"]).shape == (60, 80, 3)
        mask = decode_mask(record["mask"]).numpy()
        assert mask.shape == (60, 80)
        assert set(np.unique(mask)) == {0, 1}


def test_manifest_describes_the_conversion(records):
    manifest = verify(records)
    assert manifest.classes == ("even", "odd")
    assert [shard.records for shard in manifest.shards] == [5, 5, 2]
    assert manifest.shards[0].file == "photos-train.tfrecord-00000-of-00003"
    assert manifest.method == {"name": "balanced", "flagged": "leave_out"}
    assert manifest.left_out == ()
    assert manifest.masks == (MaskInfo("mask", "balanced"),)
    assert manifest.flags == {}
    names = ["dataset_info.json", "features.json", "label.labels.txt"]
    assert [file.file for file in manifest.files] == names


def test_two_workers_write_the_same_bytes_as_one(photographs, records, tmp_path):
    convert(photographs, tmp_path / "out", workers=2, images_per_shard=5, progress=False)
    assert _contents(tmp_path / "out") == _contents(records)


def test_flat_folder_has_no_labels(few, tmp_path):
    manifest = convert(few, tmp_path / "out", progress=False)
    assert manifest.classes == ()
    assert [record["label"] for record in _read(tmp_path / "out")] == [-1] * 3


def test_rotated_photograph_is_stored_upright_with_a_mask_of_that_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    (tmp_path / "in").mkdir()
    Image.fromarray(make_photograph(0)).save(tmp_path / "in" / "a.jpg", exif=exif)
    convert(tmp_path / "in", tmp_path / "out", progress=False)
    (record,) = _read(tmp_path / "out")
    assert decode_image(record["image"]).shape == (80, 60, 3)
    assert decode_mask(record["mask"]).shape == (80, 60)


def test_longest_side_holds_for_image_and_mask_and_is_in_the_manifest(few, tmp_path):
    manifest = convert(few, tmp_path / "out", longest_side=40, progress=False)
    assert manifest.method["longest_side"] == 40
    for record in _read(tmp_path / "out"):
        assert decode_image(record["image"]).shape == (30, 40, 3)
        assert decode_mask(record["mask"]).shape == (30, 40)


def test_unusable_photographs_are_listed_in_the_manifest(few, tmp_path):
    whole = (few / "0.png").read_bytes()
    (few / "broken link.jpg").symlink_to("nowhere")
    (few / "cut off.png").write_bytes(whole[: len(whole) // 2])
    (few / "empty.jpg").write_bytes(b"")
    (few / "one pixel.png").write_bytes(example.encode_png(np.zeros((1, 1), np.uint8)))
    (few / "text.jpg").write_text("not a picture")
    manifest = convert(few, tmp_path / "out", images_per_shard=2, progress=False)
    assert manifest == verify(tmp_path / "out")
    assert manifest.records == 3
    assert manifest.left_out == (
        ("broken link.jpg", "cannot be opened: No such file or directory"),
        ("cut off.png", "damaged: image file is truncated"),
        ("empty.jpg", "empty file"),
        ("one pixel.png", "no usable mask: image too small (1×1 px, 0.0 % foreground)"),
        ("text.jpg", "not an image"),
    )


@pytest.mark.parametrize(
    ("value", "reason"), [(0, "almost no foreground"), (1, "almost all foreground")]
)
@pytest.mark.parametrize("flagged", ["leave_out", "keep"])
def test_mask_of_one_value_is_left_out_or_kept_as_asked(
    few, tmp_path, monkeypatch, value, reason, flagged
):
    usable, calls = example.foreground_mask, []

    def second_is_flagged(rgb, method):
        calls.append(rgb)
        if len(calls) != 2:
            return usable(rgb, method=method)
        mask = np.full(rgb.shape[:2], value, np.uint8)
        return ForegroundMask(mask, mask.astype(np.float32), 0.0, reason)

    monkeypatch.setattr(example, "foreground_mask", second_is_flagged)
    manifest = convert(few, tmp_path / "out", flagged=flagged, progress=False)
    if flagged == "leave_out":
        expected = ("1.png", f"no usable mask: {reason} (80×60 px, {100 * value}.0 % foreground)")
        assert manifest.left_out == (expected,)
        assert manifest.records == 2
    else:
        assert manifest.left_out == ()
        assert manifest.flags == {reason: 1}
        assert verify(tmp_path / "out").unflagged == 2
        stored = _read(tmp_path / "out")
        assert (decode_mask(stored[1]["mask"]).numpy() == value).all()
        assert [item["flag"].decode() for item in stored] == ["", reason, ""]
        assert stored[1]["quality"] == 0


def test_no_usable_photograph_is_an_error_that_leaves_nothing(tmp_path):
    (tmp_path / "in").mkdir()
    Image.new("RGB", (60, 60), "gray").save(tmp_path / "in" / "flat.png")
    (tmp_path / "in" / "text.jpg").write_text("not a picture")
    with pytest.raises(ConversionError, match=r"None of the 2 .*flat\.png: no usable.*flat image"):
        convert(tmp_path / "in", tmp_path / "out", progress=False)
    assert _left_nothing(tmp_path / "out")


@pytest.mark.parametrize("kind", ["empty", "no images", "missing", "a file"])
def test_input_without_photographs_is_an_error_that_leaves_nothing(tmp_path, kind):
    folder = tmp_path / "in"
    if kind == "a file":
        folder.write_text("")
    elif kind != "missing":
        folder.mkdir()
    if kind == "no images":
        (folder / "notes.txt").write_text("")
    with pytest.raises(ConversionError, match=r"^(No photograph in|There is no folder) .*in"):
        convert(folder, tmp_path / "out", progress=False)
    assert _left_nothing(tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"method": "magic"}, "Expected method in .*'robust_background'.*: 'magic'"),
        ({"also": ["magic"]}, r"Expected also in \[.*'grid'.*\]\. Received: 'magic'"),
        ({"also": ["grid", "grid"]}, "Expected each further mask once"),
        ({"method": "files"}, "Expected masks together with the method 'files', or neither"),
        ({"masks": ".", "method": "robust_background"}, "Expected masks together with the method"),
        ({"masks": "nowhere"}, "There is no folder nowhere"),
        ({"masks": "tfds:a=b"}, "with whole numbers"),
        ({"engine": "spark"}, r"Expected engine in \('pool', 'beam'\). Received: 'spark'"),
        ({"workers": 0}, "workers ≥ 1"),
        ({"images_per_shard": 0}, "images_per_shard ≥ 1"),
        ({"longest_side": 15}, "longest_side ≥ 16. Received: 15"),
        ({"flagged": "drop"}, "Expected flagged in .*Received: 'drop'"),
    ],
)
def test_bad_argument_is_an_error_that_leaves_nothing(few, tmp_path, arguments, sentence):
    with pytest.raises(ConversionError, match=sentence):
        convert(few, tmp_path / "out", progress=False, **arguments)
    assert _left_nothing(tmp_path / "out")


@pytest.fixture(params=["a file", "folder", "manifest of others", "records with notes"])
def not_records(request, tmp_path, few):
    out = tmp_path / "out"
    if request.param == "a file":
        out.write_text("precious")
    elif request.param == "records with notes":
        convert(few, out, progress=False)
    else:
        out.mkdir()
    if request.param == "manifest of others":
        (out / "manifest.json").write_text("{}")
    if out.is_dir():
        (out / "notes.txt").write_text("precious")
    return out


@pytest.mark.parametrize("overwrite", [False, True])
def test_output_that_is_not_only_records_is_never_deleted(few, not_records, overwrite):
    with pytest.raises(ConversionError, match=r"exists\. Choose|is not overwritten\."):
        convert(few, not_records, overwrite=overwrite, progress=False)
    path = not_records if not_records.is_file() else not_records / "notes.txt"
    assert path.read_text() == "precious"


def test_records_are_replaced_only_when_asked(few, tmp_path):
    out = tmp_path / "out"
    convert(few, out, progress=False)
    before = _contents(out)
    with pytest.raises(ConversionError, match="--overwrite"):
        convert(few, out, longest_side=40, progress=False)
    assert _contents(out) == before
    (out / "preview.png").write_bytes(b"")
    manifest = convert(few, out, longest_side=40, overwrite=True, progress=False)
    assert verify(out) == manifest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few", "out"]


def test_older_records_stay_when_replacing_them_fails(few, tmp_path):
    out = tmp_path / "out"
    convert(few, out, progress=False)
    before = _contents(out)
    for path in few.iterdir():
        path.write_text("not a picture")
    with pytest.raises(ConversionError, match="None of the 3 photographs"):
        convert(few, out, overwrite=True, progress=False)
    assert _contents(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few", "out"]


def test_link_to_records_still_leads_to_them_when_they_are_replaced(few, tmp_path):
    (tmp_path / "disk").mkdir()
    link = tmp_path / "link"
    convert(few, tmp_path / "disk" / "out", progress=False)
    link.symlink_to(tmp_path / "disk" / "out")
    manifest = convert(few, link, longest_side=40, overwrite=True, progress=False)
    assert link.is_symlink()
    assert verify(tmp_path / "disk" / "out") == manifest


def test_remains_of_a_killed_conversion_are_removed(few, tmp_path):
    partial = tmp_path / "out.partial"
    partial.mkdir()
    (partial / "photos-train.tfrecord-00007-of-00009").write_bytes(b"half")
    convert(few, tmp_path / "out", progress=False)
    assert not partial.exists()
    assert verify(tmp_path / "out").records == 3


@pytest.mark.parametrize("as_folder", [False, True])
def test_partial_of_someone_else_is_never_deleted(few, tmp_path, as_folder):
    path = tmp_path / "out.partial"
    if as_folder:
        path.mkdir()
        path = path / "notes.txt"
    path.write_text("precious")
    with pytest.raises(ConversionError, match=r"out\.partial is needed .* Move (it|that) away"):
        convert(few, tmp_path / "out", progress=False)
    assert path.read_text() == "precious"


def test_output_below_a_file_is_an_error(few, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConversionError, match=r"file/out could not be written: Not a directory\."):
        convert(few, tmp_path / "file" / "out", progress=False)


@pytest.mark.parametrize("size", ["16k", "64k"])
def test_full_disk_is_one_line_and_leaves_only_what_is_finished(photographs, tmp_path, size):
    """12 photographs take 90 kB; 16k fails in the first shard, 64k in a later one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount")
    try:
        with pytest.raises(ConversionError, match=r"^The disk is full; .*out was not written\."):
            convert(photographs, disk / "out", images_per_shard=5, progress=False)
        kept = [path.name for path in disk.iterdir()]
        assert kept == ([] if size == "16k" else ["out.partial"])
        assert not list(disk.glob("out.partial/*unfinished*"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_list_and_tar_give_the_bytes_of_the_folder(photographs, records, tmp_path):
    """The order of the records is that of the names, as in a folder."""
    names = sorted(str(path.relative_to(photographs)) for path in photographs.rglob("*.png"))
    lines = [f"{photographs / name}\t{name.split('/')[0]}" for name in names]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    with (
        tarfile.open(tmp_path / "t.tar", "w") as tar,
        tarfile.open(tmp_path / "z.tgz", "w:gz") as z,
    ):
        for name in names:
            tar.add(photographs / name, name)
            z.add(photographs / name, name)
    for source in ("t.tar", "z.tgz"):
        out = tmp_path / f"{source} out"
        convert(tmp_path / source, out, images_per_shard=5, progress=False)
        assert _contents(out) == _contents(records)
    convert(tmp_path / "list.txt", tmp_path / "out", progress=False)
    stored, expected = _read(tmp_path / "out"), _read(records)
    for item in (*stored, *expected):
        del item["name"]
    assert stored == expected


def test_two_records_never_have_one_name(few, tmp_path):
    (few / "list.txt").write_text("0.png\n1.png\n./0.png\n2.png\n")
    manifest = convert(few / "list.txt", tmp_path / "out", progress=False)
    assert manifest.left_out == (("0.png", "its name occurs before"),)
    assert verify(tmp_path / "out").records == 3


def test_own_masks_are_stored_and_what_they_lack_is_listed(few, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    own = np.zeros((60, 80), np.uint8)
    own[20:40, 30:60] = 255
    Image.fromarray(own).save(masks / "0.png")
    np.savez(masks / "1.npz", foreground=own.T)
    manifest = convert(few, tmp_path / "out", masks=masks, progress=False)
    (record,) = _read(tmp_path / "out")
    np.testing.assert_array_equal(decode_mask(record["mask"]), own // 255)
    assert manifest.method["name"] == "files"
    assert manifest.left_out == (
        ("1.png", "its mask is of another shape: 60×80 px, not 80×60"),
        ("2.png", "no mask: there is no mask file of its name"),
    )


def test_further_masks_are_described_in_the_manifest(few, tmp_path):
    manifest = convert(few, tmp_path / "out", also=("grid", "slic"), progress=False)
    main, grid, slic = manifest.masks
    assert (main, grid) == (
        MaskInfo("mask", "balanced"),
        MaskInfo("grid", "grid", 25, 16),
    )
    largest = 0
    for path in sorted((tmp_path / "out").glob("*.tfrecord-*")):
        for item in tf.data.TFRecordDataset(str(path)):
            ids = decode_regions(parse(item, ["slic"])["masks/slic"])
            largest = max(largest, int(tf.reduce_max(ids)) + 1)
    assert slic == MaskInfo("slic", "slic", largest, 16)
    assert verify(tmp_path / "out") == manifest


def test_panoramas_and_thumbnails_are_recorded(tmp_path):
    """One pixel high, there is nothing to tell apart; 32 × 32 is enough."""
    (tmp_path / "in").mkdir()
    Image.new("RGB", (20000, 1)).save(tmp_path / "in" / "wide.png")
    Image.fromarray(make_photograph(0, 32, 32)).save(tmp_path / "in" / "thumbnail.png")
    kept = convert(tmp_path / "in", tmp_path / "kept", flagged="keep", progress=False)
    assert (verify(tmp_path / "kept").records, kept.flags) == (2, {"image too small": 1})
    manifest = convert(tmp_path / "in", tmp_path / "out", progress=False)
    ((_, reason),) = manifest.left_out
    assert reason == "no usable mask: image too small (20000×1 px, 0.0 % foreground)"
    assert [item["name"] for item in _read(tmp_path / "out")] == [b"thumbnail.png"]


def test_what_was_assumed_about_masks_is_counted(tmp_path):
    """Two masks that were JPEGs, one with void, one plain."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    drawn = np.zeros((60, 80), np.uint8)
    drawn[10:40, 20:60] = 255
    for index in range(4):
        Image.fromarray(make_photograph(index)).save(tmp_path / "photos" / f"{index}.png")
        mask = Image.fromarray(drawn)
        if index < 2:
            buffer = io.BytesIO()
            mask.resize((81, 61)).resize((80, 60)).save(buffer, "JPEG")
            mask = Image.open(buffer)
        elif index == 2:
            labels = drawn // 255
            labels[:10] = 255
            mask = Image.fromarray(labels)
        mask.save(tmp_path / "masks" / f"{index}.png")
    masks = tmp_path / "masks"
    manifest = convert(tmp_path / "photos", tmp_path / "out", masks=masks, progress=False)
    assert manifest.assumptions == {
        "many grays: 128 and more is foreground": 2,
        "labels: all but 0 is foreground, 255 is void": 1,
    }
    assert read_manifest(tmp_path / "out").assumptions == manifest.assumptions


def test_files_passed_over_are_in_the_manifest(tmp_path):
    (tmp_path / "photos").mkdir()
    Image.fromarray(make_photograph(0)).save(tmp_path / "photos" / "a.png")
    (tmp_path / "photos" / "b.heic").write_bytes(b"\0\0\0\x18ftypheic")
    convert(tmp_path / "photos", tmp_path / "out", progress=False)
    assert read_manifest(tmp_path / "out").passed_over == {".heic": 1}


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_appears_meanwhile_in_the_place_of_the_records_is_left_alone(
    few, tmp_path, monkeypatch, overwrite
):
    """Found at the end, when the shards are finished; they are kept, and used the next time."""
    out = tmp_path / "out"
    if overwrite:
        convert(few, out, method="fast", progress=False)

    def describe_slowly(conversion, found):
        manifest = describe(conversion, found)
        out.mkdir(exist_ok=True)
        (out / "thesis.tex").write_text("years")
        return manifest

    with monkeypatch.context() as patched:
        patched.setattr("mask_generation.conversion.convert.describe", describe_slowly)
        with pytest.raises(ConversionError, match=r"(?s)out.*1 of 1 shards are finished and kept"):
            convert(few, out, method="fast", overwrite=overwrite, progress=False)
    assert (out / "thesis.tex").read_text() == "years"
    (out / "thesis.tex").unlink()
    if not overwrite:
        out.rmdir()
    monkeypatch.setattr("mask_generation.conversion.engines.pool.Pool.run", _run_nothing)
    convert(few, out, method="fast", overwrite=overwrite, progress=False)
    assert not (out / "journal").exists()


def _run_nothing(self, conversion, found, todo):
    assert not todo


def test_shards_outlive_a_rename_that_fails(few, tmp_path, monkeypatch):
    """As of a folder that is a mount point."""
    replace = os.replace

    def refuse(source, target):
        if str(target) == str(tmp_path / "out"):
            raise OSError(errno.EBUSY, "Device or resource busy")
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", refuse)
        with pytest.raises(ConversionError, match=r"busy\. 1 of 1 shards are finished and kept"):
            convert(few, tmp_path / "out", method="fast", progress=False)
    monkeypatch.setattr("mask_generation.conversion.engines.pool.Pool.run", _run_nothing)
    assert convert(few, tmp_path / "out", method="fast", progress=False).records
    verify(tmp_path / "out")


def test_what_killed_processes_left_in_records_may_be_overwritten(few, tmp_path):
    convert(few, tmp_path / "out", method="fast", progress=False)
    for name in ("preview.html.unfinished-ab12", "quarantine.json.partial"):
        (tmp_path / "out" / name).touch()
    convert(few, tmp_path / "out", method="fast", overwrite=True, progress=False)
    verify(tmp_path / "out")
