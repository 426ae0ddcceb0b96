"""The parts of the quickstart that its verdict rests on; ``.ci/run`` runs it as a whole."""

import pathlib
import sys

import numpy as np
import pytest
from PIL import Image

sys.path.append(str(pathlib.Path(__file__).parents[2] / "examples"))

from quickstart_parts import label_efficiency, tiles
from quickstart_parts.label_efficiency import Row
from quickstart_parts.labeled import Labeled, read, split_in_halves


def labeled(*sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    images = np.arange(len(labels), dtype=np.uint8)[:, None, None, None] * np.ones(3, np.uint8)
    return Labeled(images, labels)


def test_tiles_to_learn_from_and_to_test_on_share_no_pixel(tmp_path, monkeypatch):
    """Every pixel of a column is the column's number."""
    monkeypatch.setattr(tiles, "PHOTOGRAPHS", ("columns",))
    columns = np.broadcast_to(np.arange(250, dtype=np.uint8), (100, 250))
    Image.fromarray(columns).save(tmp_path / "columns.png")
    tiles.write_tiles(tmp_path, tmp_path / "tiles")
    train, test = (
        np.stack(
            [np.asarray(Image.open(path)) for path in (tmp_path / "tiles").glob(f"{part}/*/*")]
        )
        for part in ("train", "test")
    )
    assert train.shape == (tiles.TRAINING_TILES, tiles.SIDE, tiles.SIDE)
    assert test.shape == (tiles.TEST_TILES, tiles.SIDE, tiles.SIDE)
    assert train.max() < 0.55 * 250 < 0.6 * 250 <= test.min()


def write_class(folder, name, count):
    (folder / name).mkdir(parents=True)
    for index in range(count):
        Image.new("RGB", (30, 20), (index, 0, 0)).save(folder / name / f"{index}.png")


def test_halves_of_every_class(tmp_path):
    write_class(tmp_path, "a", 10)
    write_class(tmp_path, "b", 13)
    split = split_in_halves(str(tmp_path))
    assert split.classes == ("a", "b")
    assert not set(split.train) & set(split.test)
    assert [label for _, label in split.train] == [0] * 5 + [1] * 6
    assert [label for _, label in split.test] == [0] * 5 + [1] * 7
    images = read(split.train, 16)
    assert images.images.shape == (11, 16, 16, 3)
    assert images.chance == 6 / 11


def test_too_few_photographs_are_refused(tmp_path):
    write_class(tmp_path, "a", 10)
    with pytest.raises(FileNotFoundError, match="one subfolder of photographs per class"):
        split_in_halves(str(tmp_path))
    write_class(tmp_path, "b", 9)
    with pytest.raises(FileNotFoundError, match=r"Expected 10 photographs.*Received: 9 of b\."):
        split_in_halves(str(tmp_path))


@pytest.mark.parametrize(
    ("sizes", "counts"),
    [((5, 5), [5]), ((7, 12), [5, None]), ((20, 20), [5, 10, 20]), ((60, 40), [5, 10, 20, None])],
)
def test_only_numbers_that_every_class_has(sizes, counts):
    assert label_efficiency.counts_for(labeled(*sizes)) == counts


def test_draws_take_as_many_of_each_class_and_differ():
    first, second = label_efficiency.draws(labeled(12, 30), 5, 2)
    assert first.labels.tolist() == second.labels.tolist() == [0] * 5 + [1] * 5
    assert first.images.tolist() != second.images.tolist()
    every = next(label_efficiency.draws(labeled(12, 30), None, 1))
    assert sorted(every.images.ravel().tolist()) == labeled(12, 30).images.ravel().tolist()


def test_longer_for_more_images():
    assert label_efficiency.steps_for(labeled(5, 5), 150) == 150
    assert label_efficiency.steps_for(labeled(20, 20), 150) == 300


def test_verdict_is_about_the_same_images():
    """Gains of .1 ± 0 although each column varies more; then one that is as often a loss."""
    sure = Row("5", pretrained=[0.7, 0.5], random=[0.6, 0.4])
    unsure = Row("10", pretrained=[0.7, 0.5], random=[0.6, 0.6])
    assert sure.cells() == ("5", ".600 ± .100", ".500 ± .100", "+.100 ± .000")
    said = label_efficiency.verdict([sure, unsure])
    assert said.endswith("at 5 labeled images a class, but not at 10.")
    assert label_efficiency.verdict([unsure]).startswith("No advantage was shown")
