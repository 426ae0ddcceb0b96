"""Classes on their way from the source to the manifest and the screen."""

import json
import pathlib

import pytest
from PIL import Image

from conftest import make_photograph
from harl_tf.data.manifest import read_manifest
from mask_generation.commands.convert import _classes
from mask_generation.conversion.convert import ConversionError, convert


def _put(folder: pathlib.Path, *names: str) -> pathlib.Path:
    for index, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(make_photograph(index)).save(folder / name)
    return folder


def _convert(source, out, **options):
    return convert(source, out, method="fast", flagged="keep", **options)


def test_counts_and_guesses_are_in_the_manifest_and_told(tmp_path, capsys):
    source = _put(tmp_path / "in", "train/cat/0.jpg", "train/dog/1.jpg", "val/cat/2.jpg", "x.jpg")
    (source / "val" / "bee").mkdir()
    manifest = _convert(source, tmp_path / "out")
    assert manifest == read_manifest(tmp_path / "out")
    assert manifest.class_counts == {"bee": 0, "cat": 2, "dog": 1}
    assert len(manifest.layout) == 3
    told = capsys.readouterr().err
    assert all(note in told for note in manifest.layout)


def test_records_count_and_not_photographs_that_were_left_out(tmp_path):
    source = _put(tmp_path / "in", "cat/0.jpg", "cat/1.jpg", "dog/2.jpg")
    (source / "cat" / "1.jpg").write_text("no image")
    manifest = _convert(source, tmp_path / "out", images_per_shard=1, progress=False)
    assert manifest.class_counts == {"cat": 1, "dog": 1}


def test_given_classes_number_two_conversions_alike(tmp_path):
    """Sorted by themselves, dog would be 1 in the first and 0 in the second."""
    (tmp_path / "classes.txt").write_text("dog\ncat\nape\n")
    for split, names in {"a": ("cat/0.jpg", "dog/1.jpg"), "b": ("ape/0.jpg", "dog/1.jpg")}.items():
        _put(tmp_path / split, *names)
        for classes in (tmp_path / "classes.txt", ("dog", "cat", "ape")):
            manifest = _convert(
                tmp_path / split, tmp_path / "out", classes=classes, overwrite=True, progress=False
            )
            assert manifest.classes == ("dog", "cat", "ape")
            assert manifest.class_counts["dog"] == 1


@pytest.mark.parametrize("classes", [("dog",), ("cat", "cat"), "no/such/file"])
def test_classes_that_do_not_fit_are_an_error_that_leaves_nothing(tmp_path, classes):
    source = _put(tmp_path / "in", "cat/0.jpg")
    with pytest.raises(ConversionError, match=r"^(Expected|There is no file)"):
        _convert(source, tmp_path / "out", classes=classes, progress=False)
    assert not list(tmp_path.glob("out*"))


def test_manifest_of_another_version_is_read(few, tmp_path):
    """An older one does not count classes, a later one may say more."""
    _convert(few, tmp_path / "out", progress=False)
    path = tmp_path / "out" / "manifest.json"
    fields = json.loads(path.read_text())
    for name in ("class_counts", "layout", "images_per_shard", "sha256"):
        del fields[name]
    path.write_text(json.dumps({**fields, "said_later": 1}))
    assert read_manifest(tmp_path / "out").class_counts == {}


def test_of_many_classes_the_first_are_printed():
    """Twenty are all printed; of 21, five and their number."""
    assert _classes({f"c{i}": i for i in range(20)}).endswith("19 c19: 19")
    assert _classes({f"c{i}": i for i in range(21)}) == (
        "0 c0: 0, 1 c1: 1, 2 c2: 2, 3 c3: 3, 4 c4: 4, … 21 classes, 1 of them without a record"
    )
    assert _classes({"a\nb": 1}) == r"0 a\nb: 1"
