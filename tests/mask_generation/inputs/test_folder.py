import io
import os
import pathlib

import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.inputs.folder import find_images
from mask_generation.inputs.reading import read_image


def _encode(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def folder_of(tmp_path):
    def make(*names: str) -> pathlib.Path:
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (2, 2)).save(tmp_path / name)
        return tmp_path

    return make


def _names_and_labels(folder: pathlib.Path) -> dict[str, int]:
    return {source.name: source.label for source in find_images(folder).sources}


def test_class_folders_become_labels_in_the_order_of_their_names(folder_of):
    folder = folder_of("b/1.png", "a/x/2.png", "a/0.png")
    assert find_images(folder).classes == ("a", "b")
    assert _names_and_labels(folder) == {"a/0.png": 0, "a/x/2.png": 0, "b/1.png": 1}


def test_flat_folder_has_no_labels(folder_of):
    folder = folder_of("1.png", "0.png")
    assert find_images(folder).classes == ()
    assert _names_and_labels(folder) == {"0.png": -1, "1.png": -1}


def test_a_few_photographs_above_the_class_folders_have_no_label(folder_of):
    folder = folder_of("a/0.png", "b/1.png", "montage.png")
    assert find_images(folder).classes == ("a", "b")
    assert _names_and_labels(folder) == {"a/0.png": 0, "b/1.png": 1, "montage.png": -1}


@pytest.mark.parametrize("names", [("a/0.png", "b/1.png", "2.png", "3.png"), ("a/0.png", "2.png")])
def test_folders_beside_as_many_photographs_are_no_classes(folder_of, names):
    folder = folder_of(*names)
    assert find_images(folder).classes == ()
    assert set(_names_and_labels(folder).values()) == {-1}


def test_linked_folders_are_followed_once(folder_of, tmp_path_factory):
    """One class is a link to a folder elsewhere, another leads back to the top."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    Image.fromarray(make_photograph(0)).save(elsewhere / "1.png")
    folder = folder_of("cat/0.png")
    (folder / "dog").symlink_to(elsewhere)
    (folder / "cat" / "loop").symlink_to(folder)
    assert _names_and_labels(folder) == {"cat/0.png": 0, "dog/1.png": 1}


def test_names_with_spaces_and_unicode_and_upper_case_endings_are_found(folder_of):
    names = ["żółw i 猫/my cat.JPG", "żółw i 猫/é.PnG"]
    assert list(_names_and_labels(folder_of(*names))) == names


def test_hidden_files_and_folders_and_those_of_systems_are_ignored(folder_of):
    folders = (".thumbnails", "@eaDir", "$RECYCLE.BIN", "a/__MACOSX")
    folder = folder_of("a/0.png", "a/.1.png", *(f"{each}/0.png" for each in folders))
    assert list(_names_and_labels(folder)) == ["a/0.png"]
    assert find_images(folder).passed_over == {}


def test_other_files_are_counted_by_their_endings(folder_of):
    folder = folder_of("a/0.png")
    for name in ("a/notes.txt", "readme.TXT", "a/b.HEIC", "LICENSE"):
        (folder / name).write_text("no image")
    assert list(_names_and_labels(folder)) == ["a/0.png"]
    assert find_images(folder).passed_over == {".heic": 1, ".txt": 2, "no ending": 1}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
def test_images_without_the_usual_ending_are_found_by_their_beginning(tmp_path, kind):
    """Downloads have such names. Raw photographs begin as TIFF does, but are none."""
    names = ["a", "b.jpg_large", "c.orig", "d.jpe"]
    for name in names:
        Image.new("RGB", (8, 8)).save(tmp_path / name, kind)
    Image.new("RGB", (8, 8)).save(tmp_path / "e.nef", "TIFF")
    assert list(_names_and_labels(tmp_path)) == names
    assert find_images(tmp_path).passed_over == {".nef": 1}


def test_name_that_is_not_utf8_is_escaped_and_still_opens(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.png"
    try:
        pathlib.Path(os.fsdecode(path)).write_bytes(_encode(Image.new("RGB", (2, 2)), "PNG"))
    except OSError:
        pytest.skip("this file system holds only UTF-8 names")
    (source,) = find_images(tmp_path).sources
    assert source.name == "caf\\xe9.png"
    assert read_image(source.path)[0].shape == (2, 2, 3)


@pytest.mark.parametrize("file", [None, "notes.txt"])
def test_folder_without_images_is_an_error_that_names_the_endings(tmp_path, file):
    if file:
        (tmp_path / file).write_text("no image")
    with pytest.raises(FileNotFoundError, match=r"No photograph in .*\.jpeg \.jpg"):
        find_images(tmp_path)


def test_folder_that_cannot_be_listed_is_an_error(folder_of, monkeypatch):
    """Passing it over would lose a whole class without a word."""
    folder, scandir = folder_of("a/0.png", "b/1.png"), os.scandir

    def refuse(path):
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(OSError, match=r"Folder .*b cannot be listed: Permission denied\."):
        find_images(folder)


def test_masks_beside_the_photographs_are_no_photographs(folder_of):
    """As in MSRA10K: each is found as the mask of the other, and the JPEG is the photograph."""
    folder = folder_of("a.jpg", "a.png", "b.jpg", "b.png", "c.png")
    found = find_images(folder, masks=folder)
    assert [source.name for source in found.sources] == ["a.jpg", "b.jpg", "c.png"]
    assert found.passed_over == {"masks of others": 2}


def test_folder_of_masks_among_the_photographs_is_no_class(folder_of):
    folder = folder_of("cat/a.jpg", "dog/b.jpg", "masks/cat/a.jpg", "masks/dog/b.png")
    found = find_images(folder, masks=folder / "masks")
    assert [source.name for source in found.sources] == ["cat/a.jpg", "dog/b.jpg"]
    assert found.classes == ("cat", "dog")
