import functools

import numpy as np
import pytest
import tensorflow_datasets as tfds

from conftest import make_photograph
from mask_generation import convert
from mask_generation.conversion import plan
from mask_generation.inputs.reading import decode_image
from mask_generation.inputs.sources import read_tfds

COUNT = 7


class TinyPhotographs(tfds.core.GeneratorBasedBuilder):
    """Seven photographs with class and mask, in three files."""

    # It would be looked for with importlib_resources, which TensorFlow Datasets does not require.
    code_path = None
    VERSION = tfds.core.Version("1.2.0")

    def _info(self):
        features = {
            "picture": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
            "kind": tfds.features.ClassLabel(names=["cat", "dog"]),
            "outline": tfds.features.LabeledImage(labels=3, shape=(None, None, 1)),
            "note": tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(), "test": self._generate_examples()}

    def _generate_examples(self):
        for index in range(COUNT):
            outline = np.full((60, 80, 1), index % 3, np.uint8)
            yield (
                index,
                {
                    "picture": make_photograph(index),
                    "kind": index % 2,
                    "outline": outline,
                    "note": "",
                },
            )


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    builder = TinyPhotographs(data_dir=folder)
    # Three files; in TensorFlow Datasets' own order they would be read in turns.
    config = tfds.download.DownloadConfig(num_shards=3)
    builder.download_and_prepare(download_config=config)
    assert builder.info.splits["train"].num_shards == 3
    return folder


@pytest.fixture
def folder(data_dir):
    return f"tfds:{data_dir / 'tiny_photographs' / '1.2.0'}"


@pytest.fixture
def by_name(data_dir, monkeypatch):
    """Names are looked for in the test's folder."""
    monkeypatch.setattr(tfds, "builder", functools.partial(tfds.builder, data_dir=data_dir))


def test_photographs_labels_and_names_are_those_of_the_data_set(folder):
    found = read_tfds(folder)
    assert len(found) == COUNT
    assert found.classes == ("cat", "dog")
    sources = list(found.part(0, COUNT))
    assert len({source.name for source in sources}) == COUNT
    assert sorted(source.label for source in sources) == [0, 0, 0, 0, 1, 1, 1]
    pictures = {decode_image(source.read())[0].shape for source in sources}
    assert pictures == {(60, 80, 3)}
    # The order of the files, and within them that of the examples.
    assert [source.name for source in sources] == sorted(source.name for source in sources)


@pytest.mark.parametrize("split", ["train", "train[2:6]", "test+train"])
def test_parts_are_parts_of_the_whole(folder, split):
    found = read_tfds(f"{folder}:{split}")
    whole = list(found.part(0, len(found)))
    assert len(whole) == {"train": 7, "train[2:6]": 4, "test+train": 14}[split]
    for start, stop in ((0, 3), (1, 4), (3, len(found))):
        assert list(found.part(start, stop)) == whole[start:stop]


def test_slice_keeps_the_names_of_its_photographs(folder):
    whole = list(read_tfds(folder).part(0, COUNT))
    assert list(read_tfds(f"{folder}:train[2:6]").part(0, 4)) == whole[2:6]


def test_mask_feature_comes_along_as_it_is_stored(folder):
    (source,) = read_tfds(folder, "outline").part(0, 1)
    assert source.mask is not None
    assert source.mask.startswith(b"\x89PNG")
    assert next(read_tfds(folder).part(0, 1)).mask is None


@pytest.mark.parametrize("name", ["tiny_photographs", "tiny_photographs:1.2.0:test"])
def test_data_set_is_found_by_its_name_without_preparing_it_again(by_name, monkeypatch, name):
    monkeypatch.delattr(TinyPhotographs, "_generate_examples")
    found = read_tfds(f"tfds:{name}")
    assert len(found) == COUNT
    assert found.split == ("test" if name.endswith("test") else "train")


@pytest.mark.parametrize(
    ("where", "mask", "sentence"),
    [
        ("tfds:", None, r"Expected tfds:NAME\[/config\]"),
        ("tfds:tiny_photographs:nowhere", None, "cannot open tiny_photographs:nowhere: .*nowhere"),
        ("tfds:tiny_photographs", "note", "in .*'outline'.*Received: 'note'"),
        ("tfds:tiny_photographs:train[:0]", None, "the split is empty"),
    ],
)
def test_what_is_not_there_is_a_sentence(by_name, where, mask, sentence):
    with pytest.raises(OSError, match=sentence) as error:
        read_tfds(where, mask)
    assert "\n" not in str(error.value)


def test_marks_tell_splits_apart(folder):
    marks = [tuple(read_tfds(f"{folder}:{split}").marks()) for split in ("train", "train[1:]")]
    assert len(set(marks)) == 2
    assert marks[0] == tuple(read_tfds(folder).marks())


def test_part_of_no_photograph_is_empty(folder):
    """A conversion that goes on after its first shards asks for one."""
    assert list(read_tfds(folder).part(0, 0)) == []


def test_interrupted_conversion_goes_on(folder, tmp_path, monkeypatch):
    whole = convert(folder, tmp_path / "whole", images_per_shard=3, progress=False)
    with monkeypatch.context() as patch:
        write, count = plan.write_shard, []

        def stopping(path, results):
            if len(count) == 1:
                raise KeyboardInterrupt
            count.append(path)
            return write(path, results)

        patch.setattr(plan, "write_shard", stopping)
        with pytest.raises(KeyboardInterrupt, match="1 of 3 shards are finished"):
            convert(folder, tmp_path / "out", images_per_shard=3, progress=False)
    assert convert(folder, tmp_path / "out", images_per_shard=3, progress=False) == whole
