import gzip
import io
import pathlib
import pickle
import tarfile

import pytest

from mask_generation.inputs import reading
from mask_generation.inputs.reading import UnusableImageError
from mask_generation.inputs.sources import open_images
from mask_generation.inputs.sources import tar as tar_source
from mask_generation.inputs.sources.archive import open_tar
from mask_generation.inputs.sources.tar import read_tars

MEMBERS = {"b/1.jpg": b"first", "a/2.PNG": b"second, longer", "b/x/3.gif": b"3"}


def _tar(path: pathlib.Path, members: dict[str, bytes], mode: str = "w") -> pathlib.Path:
    with tarfile.open(path, mode) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_members_are_read_in_their_order(tmp_path, mode):
    found = read_tars([_tar(tmp_path / "t", MEMBERS, mode)])
    assert found.classes == ("a", "b")
    sources = list(found.part(0, len(found)))
    assert [(source.name, source.label) for source in sources] == [
        ("b/1.jpg", 1),
        ("a/2.PNG", 0),
        ("b/x/3.gif", 1),
    ]
    there = [pickle.loads(pickle.dumps(source)) for source in sources]
    assert [source.read() for source in there] == list(MEMBERS.values())


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_any_part_can_be_read(tmp_path, mode):
    found = read_tars([_tar(tmp_path / "t", MEMBERS, mode)])
    for start in range(3):
        for stop in range(start, 4):
            got = [source.read() for source in found.part(start, stop)]
            assert got == list(MEMBERS.values())[start:stop]


def test_other_members_are_passed_over(tmp_path):
    path = tmp_path / "t"
    with tarfile.open(path, "w") as tar:
        for name in ("./a.jpg", "notes.txt", ".b.jpg", ".git/c.jpg", "folder.jpg", "/d.jpg"):
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE if name == "folder.jpg" else tarfile.REGTYPE
            tar.addfile(info, io.BytesIO())
    found = read_tars([path])
    assert [source.name for source in found.sources] == ["a.jpg", "d.jpg"]
    assert found.passed_over == {".txt": 1}


def _add_link(tar: tarfile.TarFile, name: str, target: str, kind: bytes) -> None:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = kind, target
    tar.addfile(link)


def test_link_to_another_member_is_that_photograph(tmp_path):
    """Hard links name a member from the top, symbolic ones from the folder they are in."""
    path = _tar(tmp_path / "t", {"x/a.jpg": b"first", "y/b.jpg": b"second"})
    with tarfile.open(path, "a") as tar:
        _add_link(tar, "y/hard.jpg", "x/a.jpg", tarfile.LNKTYPE)
        _add_link(tar, "y/soft.jpg", "../x/a.jpg", tarfile.SYMTYPE)
    sources = {source.name: source for source in read_tars([path]).sources}
    assert sources["y/hard.jpg"].read() == sources["y/soft.jpg"].read() == b"first"
    assert [source.label for source in sources.values()] == [0, 1, 1, 1]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_other_links_are_left_out_with_their_names(tmp_path, mode):
    """Those that lead out of the tar, and those of a compressed one."""
    with tarfile.open(tmp_path / "t", mode) as tar:
        tar.addfile(tarfile.TarInfo("a.jpg"), io.BytesIO())
        _add_link(tar, "out.jpg", "/etc/passwd", tarfile.SYMTYPE)
        if mode != "w":
            _add_link(tar, "hard.jpg", "a.jpg", tarfile.LNKTYPE)
    for source in list(read_tars([tmp_path / "t"]).part(0, 3))[1:]:
        with pytest.raises(UnusableImageError, match=r"a link to \S+, which was not found"):
            source.read()


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_damaged_header_is_an_error_that_says_where(tmp_path, mode):
    """Members of one block of content begin at 0, 1024 and 2048; 148 holds the checksum."""
    path = _tar(tmp_path / "t", {name: b"x" for name in ("a.jpg", "b.jpg", "c.jpg")})
    data = bytearray(path.read_bytes())
    data[1024 + 148] ^= 1
    path.write_bytes(gzip.compress(bytes(data)) if mode == "w:gz" else bytes(data))
    with pytest.raises(OSError, match=r"is a damaged tar: the header at byte 1024 is damaged"):
        read_tars([path])


@pytest.mark.parametrize("compressed", [False, True])
def test_archives_joined_into_one_are_both_read(tmp_path, compressed):
    parts = [
        _tar(tmp_path / name, {name: name.encode()}).read_bytes() for name in ("a.jpg", "b.jpg")
    ]
    joined = b"".join(parts)
    (tmp_path / "t").write_bytes(gzip.compress(joined) if compressed else joined)
    found = read_tars([tmp_path / "t"])
    assert [source.read() for source in found.part(0, 2)] == [b"a.jpg", b"b.jpg"]


@pytest.mark.parametrize("prefix", ["photos/", "/abs/photos/", "../photos/", "./"])
def test_folders_around_everything_are_no_classes(tmp_path, prefix):
    names = [f"{prefix}cat/1.jpg", f"{prefix}dog/2.jpg"]
    found = read_tars([_tar(tmp_path / "t", dict.fromkeys(names, b""))])
    assert found.classes == ("cat", "dog")
    assert [source.label for source in found.sources] == [0, 1]
    flat = read_tars([_tar(tmp_path / "f", {f"{prefix}1.jpg": b"", f"{prefix}2.jpg": b""})])
    assert flat.classes == ()


def test_name_in_two_tars_or_twice_in_one_is_read_once(tmp_path):
    first = _tar(tmp_path / "1.tar", {"a.jpg": b"1"})
    _tar(tmp_path / "2.tar", {"b.jpg": b"2", "a.jpg": b"3"}, "w:gz")
    _tar(first, {"b.jpg": b"4"}, "a")
    found = read_tars([first, tmp_path / "2.tar"])
    assert [source.name for source in found.sources] == ["a.jpg", "b.jpg", "b.jpg", "a.jpg"]
    sources = list(found.part(0, 4))
    assert [source.read() for source in sources[:2]] == [b"1", b"4"]
    for source in sources[2:]:
        with pytest.raises(UnusableImageError, match="its name occurs before"):
            source.read()


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_member_of_too_many_bytes_is_not_read(tmp_path, monkeypatch, mode):
    monkeypatch.setattr(reading, "LARGEST_FILE", 10)
    sources = list(read_tars([_tar(tmp_path / "t", MEMBERS, mode)]).part(0, 3))
    assert sources[0].read() == b"first"
    with pytest.raises(UnusableImageError, match="14 bytes: more than 10 are not read"):
        sources[1].read()


def test_tar_that_was_cut_off_after_listing_is_noticed(tmp_path):
    path = _tar(tmp_path / "t", MEMBERS)
    (source,) = read_tars([path]).part(1, 2)
    path.write_bytes(path.read_bytes()[:1540])
    with pytest.raises(UnusableImageError, match="the tar was cut off"):
        source.read()


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_damaged_tar_is_refused(tmp_path, mode):
    path = _tar(tmp_path / "t", {"a.jpg": bytes(range(256)) * 400}, mode)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(OSError, match=r"t is a damaged tar: \w"):
        read_tars([path])


def test_tar_without_photographs_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No photograph in .*t: no member ends in"):
        read_tars([_tar(tmp_path / "t", {"a.txt": b""})])


def test_marks_change_with_the_tar(tmp_path):
    path = _tar(tmp_path / "t", MEMBERS)
    before = list(read_tars([path]).marks())
    _tar(path, {"c.jpg": b""}, "a")
    assert list(read_tars([path]).marks()) != before


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_header_of_megabytes_is_refused_before_it_is_read(tmp_path, kind, ending):
    """A few kilobytes, compressed; Python would read the whole header into memory."""
    path = tmp_path / f"a.{ending}"
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = kind, 3 * 2**20
    with (gzip.open if ending.endswith("gz") else open)(path, "wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT) + bytes(header.size + 1024))
    with pytest.raises(OSError, match=r"damaged tar: .*the header at byte 0 has 3,145,728 bytes"):
        open_images(path)


def test_compressed_tar_is_read_once_whatever_is_in_between(tmp_path, monkeypatch):
    """Links of a compressed tar cannot be read; they keep their places."""
    path = tmp_path / "t"
    with tarfile.open(path, "w:gz") as tar:
        for index in range(4):
            info = tarfile.TarInfo(f"{index}.png")
            info.size = 3
            tar.addfile(info, io.BytesIO(b"%03d" % index))
            _add_link(tar, f"{index}_link.png", f"{index}.png", tarfile.LNKTYPE)
    opened: list[str] = []
    found = read_tars([path])

    def opening(file, stream=False):
        opened.append(file)
        return open_tar(file, stream)

    monkeypatch.setattr(tar_source, "open_tar", opening)
    names = [f"{index}{link}.png" for index in range(4) for link in ("", "_link")]
    whole = list(found.part(0, 8))
    assert [source.name for source in whole] == names
    assert [source.read() for source in whole[::2]] == [b"000", b"001", b"002", b"003"]
    assert [source.name for source in found.part(1, 6)] == names[1:6]
    assert len(opened) == 2


def test_folders_of_systems_are_passed_over(tmp_path):
    members = {"cat/1.png": b"1", "@eaDir/cat/1.png": b"2", "__MACOSX/cat/1.png": b"3"}
    found = read_tars([_tar(tmp_path / "t", members)])
    assert [source.name for source in found.part(0, len(found))] == ["cat/1.png"]
