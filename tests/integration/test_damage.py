"""Every kind of damage to every kind of file that is kept: detected, and the file named."""

import contextlib
import os
import pathlib
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator

import keras
import pytest

import harl_tf
from harl_tf.callbacks import Checkpoint
from harl_tf.data import PairedViews
from mask_generation.conversion.checking.verify import verify
from mask_generation.conversion.convert import convert
from tests.networks import tiny_methods, tiny_pyramid

NOBODY = 65534


def flip(path: pathlib.Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: pathlib.Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def empty(path: pathlib.Path) -> None:
    os.truncate(path, 0)


def replaced_by_folder(path: pathlib.Path) -> None:
    path.unlink()
    path.mkdir()


def unreadable(path: pathlib.Path) -> None:
    path.chmod(0)


DAMAGES: dict[str, Callable[[pathlib.Path], None]] = {
    "flipped bit": flip,
    "cut off": truncate,
    "zero length": empty,
    "deleted": os.unlink,
    "a folder instead": replaced_by_folder,
    "not readable": unreadable,
}


class Kept:
    """Something that is kept on disk, and how it is opened again.

    Args:
        make: Makes it in a folder.
        files: The files to damage, relative to the folder.
        open: Opens it; the error or warning must name the file.
    """

    def __init__(self, make, files: tuple[str, ...], open: Callable[[pathlib.Path], object]):
        self.make, self.files, self.open = make, files, open


def records(folder: pathlib.Path, photographs: pathlib.Path) -> None:
    convert(photographs, folder / "records", images_per_shard=6, progress=False)


def run(folder: pathlib.Path, photographs: pathlib.Path) -> None:
    """Two saved states."""
    records(folder, photographs)
    views = PairedViews(folder / "records", batch_size=4, image_size=32)
    model = tiny_methods()["byol"]()
    model.compile(optimizer=keras.optimizers.AdamW(1e-3))
    model.fit(views, epochs=2, verbose=0, callbacks=[Checkpoint(folder / "run", views)])


def resume(folder: pathlib.Path) -> None:
    views = PairedViews(folder / "records", batch_size=4, image_size=32)
    model = tiny_methods()["byol"]()
    model.compile(optimizer=keras.optimizers.AdamW(1e-3))
    Checkpoint(folder / "run", views).resume(model)


def backbone(folder: pathlib.Path, photographs: pathlib.Path) -> None:
    harl_tf.export.export_backbone(tiny_pyramid(), folder / "backbone")


def preset(folder: pathlib.Path, photographs: pathlib.Path) -> None:
    harl_tf.export.export_preset(tiny_pyramid(), folder / "preset")


SHARDS = tuple(f"records/photos-train.tfrecord-{index:05d}-of-00002" for index in range(2))
STATE = "run/epoch_000002/"
KEPT = {
    "shard": Kept(records, SHARDS, lambda folder: verify(folder / "records")),
    "manifest": Kept(
        records, ("records/manifest.json",), lambda folder: verify(folder / "records")
    ),
    "description": Kept(
        records,
        ("records/dataset_info.json", "records/features.json"),
        lambda folder: verify(folder / "records"),
    ),
    "checkpoint": Kept(
        run, (STATE + "model.weights.h5", STATE + "state.json", STATE + "COMPLETE"), resume
    ),
    "preset": Kept(
        preset,
        ("preset/config.json", "preset/model.weights.h5", "preset/image_converter.json"),
        lambda folder: harl_tf.zoo.open_backbone(folder / "preset"),
    ),
    "export": Kept(
        backbone,
        (
            "backbone/saved_model.pb",
            "backbone/variables/variables.data-00000-of-00001",
            "backbone/variables/variables.index",
            "backbone/backbone.keras",
            "backbone/metadata.json",
            "backbone/MODEL_CARD.md",
            "backbone/SHA256SUMS",
        ),
        lambda folder: harl_tf.load_backbone(folder / "backbone"),
    ),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory, photographs) -> dict[str, pathlib.Path]:
    """One of each, made once."""
    folders = {}
    for name, kept in KEPT.items():
        folders[name] = tmp_path_factory.mktemp(name)
        kept.make(folders[name], photographs)
        kept.open(folders[name])  # it can be opened, and everything for it is imported
    return folders


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    ("kind", "file"), [(kind, file) for kind, kept in KEPT.items() for file in kept.files]
)
def test_damage_is_detected_and_named(made, kind, file, damage):
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place) / "copy"
        shutil.copytree(made[kind], folder)
        for path in (pathlib.Path(place), *folder.rglob("*")):
            path.chmod(0o755)
        folder.chmod(0o755)
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        DAMAGES[damage](folder / file)
        with as_nobody():
            error = opened(KEPT[kind], folder)
    assert re.search(re.escape(pathlib.Path(file).name), str(error)), error
    assert "\n" not in str(error)


def opened(kept: Kept, folder: pathlib.Path) -> Exception:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            kept.open(folder)
        except Exception as error:
            return error
    raise AssertionError("Expected the damage to be noticed. Received: an open folder.")


def test_two_shards_that_were_swapped_are_named(made, tmp_path):
    folder = shutil.copytree(made["shard"], tmp_path / "copy")
    first, second = (folder / name for name in SHARDS)
    first.rename(folder / "aside")
    second.rename(first)
    (folder / "aside").rename(second)
    error = opened(KEPT["shard"], folder)
    assert first.name in str(error)
    assert second.name in str(error)


def test_weights_of_another_epoch_are_named(made, tmp_path):
    folder = shutil.copytree(made["checkpoint"], tmp_path / "copy")
    first, second = (folder / f"run/epoch_{n:06d}/model.weights.h5" for n in (1, 2))
    shutil.copy(first, second)
    assert "epoch_000002 is damaged: its model.weights.h5" in str(
        opened(KEPT["checkpoint"], folder)
    )


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("shard", "records/photos-train.tfrecord-00002-of-00003"),
        ("export", "backbone/variables/more.py"),
    ],
)
def test_file_that_does_not_belong_there_is_named(made, tmp_path, kind, file):
    folder = shutil.copytree(made[kind], tmp_path / "copy")
    (folder / file).write_text("x")
    assert pathlib.Path(file).name in str(opened(KEPT[kind], folder))
