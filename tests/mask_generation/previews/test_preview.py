import re

import pytest
from PIL import Image

from conftest import make_photograph
from harl_tf.data.manifest import RecordsError
from mask_generation.previews.preview import PreviewError, preview
from tests.mask_generation.previews.test_inspect_records import write


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """Five photographs, one of them flat, and another folder to work in."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(4):
        Image.fromarray(make_photograph(index)).save(folder / f"{index}.png")
    Image.new("RGB", (40, 30), (90, 90, 90)).save(folder / "flat.png")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return folder


@pytest.fixture
def records(tmp_path):
    return write(tmp_path / "records", "robust_background")


def names(page):
    return re.findall(r'data-name="(.*?)"', page.read_text(encoding="utf-8"))


def test_photographs_are_shown_in_the_current_folder_the_worst_first(photographs):
    page, sheet = preview(photographs, progress=False)
    assert [page.resolve().name, sheet.resolve().name] == ["preview.html", "preview.png"]
    assert page.resolve().parent == photographs.parent / "work"
    assert names(page)[0] == "flat.png"
    assert sorted(names(page)) == ["0.png", "1.png", "2.png", "3.png", "flat.png"]
    qualities = re.findall(r'data-quality="(.*?)"', page.read_text(encoding="utf-8"))
    assert qualities == sorted(qualities)
    assert "<h1>Masks of photos</h1>" in page.read_text(encoding="utf-8")
    Image.open(sheet).verify()


def test_records_are_shown_in_their_folder(records):
    page, sheet = preview(records, progress=False)
    assert (page, sheet) == (records / "preview.html", records / "preview.png")
    assert names(page) == ["1.jpg", "0.jpg", "2.jpg"]
    text = page.read_text(encoding="utf-8")
    assert "1 photograph left out" in text
    assert text.count('alt="Saliency of') == 3
    assert not list(records.glob("*unfinished*"))


def test_same_folder_makes_the_same_bytes_with_any_number_of_workers(photographs, tmp_path):
    for name, workers in (("a", 1), ("b", 2)):
        preview(photographs, tmp_path / name, workers=workers, progress=False)
    for name in ("preview.html", "preview.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_count_are_shown_and_the_figures_are_of_all(photographs):
    page, _ = preview(photographs, count=2, progress=False)
    assert names(page)[0] == "flat.png"
    assert len(names(page)) == 2
    assert "5 photographs" in page.read_text(encoding="utf-8")


def test_fewer_pixels_than_the_photograph_has_are_shown(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(make_photograph(0, 600, 800)).save(folder / "large.png")
    page, _ = preview(folder, tmp_path / "out", progress=False)
    assert 'width="256" height="192"' in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["one.html", "one.png"])
def test_name_with_an_ending_makes_that_one_alone(records, tmp_path, name):
    assert preview(records, tmp_path / name, progress=False) == (tmp_path / name,)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "records"]


def test_older_files_are_replaced(records):
    (records / "preview.html").write_text("old")
    page, _ = preview(records, progress=False)
    assert names(page)


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("page.pdf", r"Expected OUT as a folder or .*\.html or \.png\. Received: .*page\.pdf"),
        ("photos", "holds the photographs, and what is written there would be found among them"),
        ("photos/deeper", "holds the photographs"),
        ("photos/sheet.png", "holds the photographs"),
    ],
)
def test_place_that_will_not_do_is_a_sentence(photographs, out, sentence):
    with pytest.raises(PreviewError, match=sentence):
        preview(photographs, photographs.parent / out, progress=False)
    assert len(list(photographs.iterdir())) == 5


def test_current_folder_full_of_photographs_is_not_added_to(photographs, monkeypatch):
    monkeypatch.chdir(photographs)
    with pytest.raises(PreviewError, match="Choose another place with --out"):
        preview(".", progress=False)


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("no/such/page.html", "page.html could not be written: No such file or directory"),
        ("file/folder", "Folder .*file/folder cannot be made: Not a directory"),
    ],
)
def test_output_that_cannot_be_written_is_a_sentence(photographs, tmp_path, out, sentence):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=sentence):
        preview(photographs, tmp_path / out, progress=False)


def test_records_have_their_masks_already(records):
    with pytest.raises(PreviewError, match="have their masks already"):
        preview(records, method="robust_background", progress=False)


def test_folder_of_nothing_is_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="No photograph in"):
        preview(tmp_path, tmp_path / "out", progress=False)


def test_photographs_none_of_which_can_be_used_are_a_sentence(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(b"")
    with pytest.raises(PreviewError, match=r"None of .* can be used; the first: a.jpg: empty file"):
        preview(tmp_path / "in", tmp_path / "out", progress=False)
    assert list((tmp_path / "out").iterdir()) == []


def test_damaged_records_are_a_sentence_and_leave_nothing(records):
    path = min(records.glob("*.tfrecord-*"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(RecordsError, match="is damaged at record 1: ") as error:
        preview(records, progress=False)
    assert "\n" not in str(error.value)
    assert not list(records.glob("preview*"))


def test_shards_without_a_manifest_are_not_taken_for_photographs(records):
    (records / "manifest.json").unlink()
    with pytest.raises(RecordsError, match="has no manifest"):
        preview(records, progress=False)


@pytest.mark.parametrize("arguments", [{"count": 0}, {"workers": 0}])
def test_less_than_one_is_refused(records, arguments):
    with pytest.raises(ValueError, match="Expected count ≥ 1 and workers ≥ 1"):
        preview(records, **arguments)


def test_unknown_method_is_refused(photographs):
    with pytest.raises(ValueError, match="Expected method in"):
        preview(photographs, method="magic")
