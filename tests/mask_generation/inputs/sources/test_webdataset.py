"""Tars as WebDataset writes them: members of one key make a sample."""

import io
import tarfile

import pytest

from mask_generation.inputs.sources.tar import read_tars


def _tar(folder, members: dict[str, bytes], mode: str = "w"):
    with tarfile.open(folder / "t.tar", mode) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return [folder / "t.tar"]


def _labels(found) -> dict[str, int]:
    return {source.name: source.label for source in found.sources}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_cls_is_the_label_wherever_it_stands(tmp_path, mode):
    """Before or after its photograph; JSON counts only without it."""
    members = {"x/0.jpg": b"", "x/0.cls": b"2\n", "x/1.cls": b"0", "x/1.png": b""}
    members |= {"x/1.json": b'{"label": 5}', "x/2.jpg": b"", "x/2.json": b'{"cls": 1}'}
    found = read_tars(_tar(tmp_path, members, mode))
    assert found.classes == ("0", "1", "2")
    assert _labels(found) == {"x/0.jpg": 2, "x/1.png": 0, "x/2.jpg": 1}
    assert found.passed_over == {}
    assert found.layout == ("The labels are those of members .cls and .json.",)


def test_names_of_classes_are_numbered_or_found_among_the_given_ones(tmp_path):
    members = {"0.jpg": b"", "0.cls": b"dog", "1.jpg": b"", "1.json": b'{"label": "cat"}'}
    tars = _tar(tmp_path, members)
    assert _labels(read_tars(tars)) == {"0.jpg": 1, "1.jpg": 0}
    assert _labels(read_tars(tars, ("ant", "cat", "dog"))) == {"0.jpg": 2, "1.jpg": 1}
    with pytest.raises(OSError, match=r"given ones\. Received: cat"):
        read_tars(tars, ("dog",))


def test_photographs_without_a_class_are_told(tmp_path):
    found = read_tars(_tar(tmp_path, {"0.jpg": b"", "0.cls": b"0", "1.jpg": b"", "2.jpg": b""}))
    assert _labels(found) == {"0.jpg": 0, "1.jpg": -1, "2.jpg": -1}
    assert found.layout[1] == (
        "2 photographs have no .cls that names a class and have no label, such as 1.jpg."
    )


def test_folders_stay_classes_beside_metadata_that_name_none(tmp_path):
    members = {
        "cat/0.jpg": b"",
        "cat/0.json": b'{"width": 3}',
        "dog/1.jpg": b"",
        "dog/1.json": b"[",
    }
    found = read_tars(_tar(tmp_path, members))
    assert (found.classes, found.passed_over) == (("cat", "dog"), {".json": 2})
    assert found.layout == ()


@pytest.mark.parametrize("data", [b"", b"\0\1", b"cat\ndog", bytes(2000)])
def test_cls_that_is_no_class_is_refused(tmp_path, data):
    with pytest.raises(OSError, match=r"a whole number or the name of a class in 0\.cls"):
        read_tars(_tar(tmp_path, {"0.jpg": b"", "0.cls": data}))


@pytest.mark.parametrize("ending", ["seg.png", "mask.png", "Seg.PNG", "segmentation.jpg"])
def test_mask_of_a_sample_is_no_photograph(tmp_path, ending):
    found = read_tars(_tar(tmp_path, {f"0.{ending}": b"", "0.jpg": b"", "1.mask.png": b""}))
    assert list(_labels(found)) == ["0.jpg", "1.mask.png"]
    assert found.passed_over == {f".{ending.lower()}": 1}


def test_empty_folder_of_a_tar_is_a_class(tmp_path):
    tars = _tar(tmp_path, {"p/cat/1.jpg": b"", "p/cow/2.jpg": b""})
    with tarfile.open(tars[0], "a") as tar:
        for name in ("p", "p/bee"):
            folder = tarfile.TarInfo(name)
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
    assert read_tars(tars).classes == ("bee", "cat", "cow")
