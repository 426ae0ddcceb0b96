import tarfile

import pytest
from PIL import Image

from mask_generation.inputs.sources import open_images


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos" / "a").mkdir(parents=True)
    for name in ("1.png", "2.png"):
        Image.new("RGB", (2, 2)).save(tmp_path / "photos" / "a" / name)
    return tmp_path / "photos"


def test_folder_list_and_tars_give_the_same_photographs(folder, tmp_path):
    (folder / "b").mkdir()
    (folder / "a" / "2.png").rename(folder / "b" / "2.png")
    (tmp_path / "photos" / "list.txt").write_text("a/1.png\ta\nb/2.png\tb\n")
    with tarfile.open(tmp_path / "1.tar", "w") as tar:
        tar.add(folder / "a" / "1.png", "a/1.png")
    with tarfile.open(tmp_path / "2.tar", "w:gz") as tar:
        tar.add(folder / "b" / "2.png", "b/2.png")
    names = ("a/1.png", "b/2.png")
    expected = [(name, label, (folder / name).read_bytes()) for label, name in enumerate(names)]
    for where in (folder, [folder / "list.txt"], [tmp_path / "1.tar", tmp_path / "2.tar"]):
        found = open_images(where)
        assert found.classes == ("a", "b")
        got = [(source.name, source.label, source.read()) for source in found.part(0, 2)]
        assert got == expected


def test_several_sources_must_be_tars(folder):
    with pytest.raises(OSError, match=r"Expected one source, or several tars\. Received: .*photos"):
        open_images([folder, folder])
    with pytest.raises(OSError, match="Received: none"):
        open_images([])
