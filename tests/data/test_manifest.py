import json

import pytest

from harl_tf.data.manifest import (
    FILE_NAME,
    File,
    Manifest,
    MaskInfo,
    RecordsError,
    Shard,
    read_manifest,
    sealed,
    unsealed,
)

MANIFEST = Manifest(
    {"name": "m", "longest_side": 40},
    ("żaba", "猫"),
    (Shard("s-0", 2, 3, "ab"), Shard("s-1", 1, 0, "cd")),
    (("a b/é.jpg", "empty file"),),
    (MaskInfo("mask", "m"), MaskInfo("grid", "grid", 300, 16)),
    {"flat image": 1, "almost no foreground": 1},
    (File("features.json", 2, "ef"),),
)


def _with(**changed) -> bytes:
    """A manifest of nothing, but for what is changed."""
    lists = {key: [] for key in ("shards", "left_out", "classes", "masks", "files")}
    return json.dumps({"schema": 3, "method": {}, "flags": {}, **lists, **changed}).encode()


@pytest.fixture
def folder(tmp_path):
    MANIFEST.write(tmp_path)
    (tmp_path / "s-0").write_bytes(b"abc")
    (tmp_path / "s-1").write_bytes(b"")
    (tmp_path / "features.json").write_bytes(b"{}")
    return tmp_path


def _change(folder, **fields):
    known = unsealed(json.loads((folder / FILE_NAME).read_text(encoding="utf-8")))
    (folder / FILE_NAME).write_text(json.dumps(sealed({**known, **fields})))


def test_manifest_of_nothing_can_be_read(folder):
    """So that the ones below are refused for what each of them changes."""
    (folder / FILE_NAME).write_bytes(_with())
    assert read_manifest(folder).records == 0


def test_manifest_is_read_as_it_was_written(folder):
    assert read_manifest(folder) == read_manifest(str(folder)) == MANIFEST
    assert MANIFEST.records == 3
    assert MANIFEST.unflagged == 1


def test_names_are_readable_in_the_file(folder):
    assert "żaba" in (folder / FILE_NAME).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["sha256", "records", "bytes", "regions"])
def test_flipped_bit_is_found_wherever_it_is(folder, name):
    """In the checksum's own name and in numbers that would be as good."""
    text = (folder / FILE_NAME).read_bytes()
    at = text.rindex(name.encode()) + (0 if name == "sha256" else len(name) + 3)
    (folder / FILE_NAME).write_bytes(text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :])
    with pytest.raises(RecordsError, match="has changed since it was written"):
        read_manifest(folder)


@pytest.mark.parametrize("file", ["../a", "/etc/passwd", "a/b", "", 3, None])
def test_manifest_names_only_files_of_its_folder(folder, file):
    _change(folder, shards=[{"file": file, "records": 1, "bytes": 1, "sha256": ""}])
    with pytest.raises(RecordsError, match="which is not a file of its folder"):
        read_manifest(folder)


@pytest.mark.parametrize("count", [-1, 1.5, "1", None, True])
def test_counts_are_whole_numbers(folder, count):
    _change(folder, shards=[{"file": "s-0", "records": count, "bytes": 3, "sha256": ""}])
    with pytest.raises(RecordsError, match="the counts of s-0 are not whole numbers"):
        read_manifest(folder)


def test_digest_changes_with_the_shards_and_nothing_else():
    digest = MANIFEST.digest()
    assert len(digest) == 16
    assert Manifest({}, (), MANIFEST.shards).digest() == digest
    assert Manifest({}, (), MANIFEST.shards[::-1]).digest() != digest


@pytest.mark.parametrize("kind", ["missing", "a file", "without manifest", "manifest is a folder"])
def test_other_folder_is_refused_with_advice(tmp_path, kind):
    path = tmp_path / "records"
    if kind == "a file":
        path.write_text("")
    elif kind == "manifest is a folder":
        (path / FILE_NAME).mkdir(parents=True)
    elif kind == "without manifest":
        path.mkdir()
    with pytest.raises(RecordsError, match=r"not a folder of records: .* Make one with: python"):
        read_manifest(path)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"schema": 3}'),
        _with(shards=[1]),
        _with(classes=None),
        _with(masks=[{}]),
        _with(files=[{"file": "a"}]),
        _with(flags=3),
    ],
)
def test_unreadable_manifest_is_an_error_of_one_line(folder, text):
    (folder / FILE_NAME).write_bytes(text)
    with pytest.raises(RecordsError, match=r"manifest\.json is not a valid manifest: ") as error:
        read_manifest(folder)
    assert "\n" not in str(error.value)


def test_manifest_that_cannot_be_opened_is_an_error(folder, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_text", refuse)
    with pytest.raises(RecordsError, match="cannot be opened: Permission denied"):
        read_manifest(folder)


@pytest.mark.parametrize("schema", [0, 1, 2, "3", None])
def test_other_schema_is_refused_with_both_versions(folder, schema):
    _change(folder, schema=schema)
    with pytest.raises(RecordsError, match=f"has schema {schema!r}; .* reads 3. Convert the photo"):
        read_manifest(folder)


def test_shard_of_another_size_is_refused(folder):
    (folder / "s-0").write_bytes(b"ab")
    with pytest.raises(RecordsError, match=r"s-0 should have 3 bytes; it has 2\."):
        read_manifest(folder)


def test_missing_shard_is_refused(folder):
    (folder / "s-1").unlink()
    with pytest.raises(RecordsError, match=r"s-1 should have 0 bytes; it is missing\."):
        read_manifest(folder)


def test_file_for_tensorflow_datasets_of_another_size_is_refused(folder):
    (folder / "features.json").write_bytes(b"")
    with pytest.raises(RecordsError, match=r"features.json should have 2 bytes; it has 0\."):
        read_manifest(folder)
