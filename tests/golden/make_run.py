"""Writes records and a checkpoint of this version that every later one must read.

    python -m tests.golden.make_run

Run it once per version that changes a format, under a new name in ``FOLDER``, and keep the older
folders: people have such records and runs.
"""

import pathlib
import tempfile

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

import harl_tf
import mask_generation
from harl_tf.data import records
from tests.networks import tiny_hapicl

FOLDER = pathlib.Path(__file__).parent / "run_schema_3_sealed"


def photograph(index: int) -> np.ndarray:
    """A bright square on dark noise."""
    random = np.random.default_rng(index)
    pixels = random.integers(0, 60, (48, 64, 3), np.uint8)
    pixels[8 + index : 32 + index, 16:44] += 150
    return pixels


def training(folder: pathlib.Path) -> tuple[keras.Model, harl_tf.data.PairedViews]:
    """A model and what it learns from; the same in every version."""
    views = harl_tf.data.PairedViews(folder / "records", batch_size=2, image_size=32)
    model = tiny_hapicl()
    model.compile(keras.optimizers.AdamW(harl_tf.schedules.warmup_cosine(0.01, 6, 1)))
    return model, views


def contents(folder: pathlib.Path) -> dict[str, np.ndarray]:
    """What the records hold, decoded."""
    found: dict[str, list[np.ndarray]] = {}
    files = sorted(str(path) for path in (folder / "records").glob(records.SHARD_PATTERN))
    for fields in tf.data.TFRecordDataset(files).map(records.parse):
        decoded = {
            "images": records.decode_image(fields[records.IMAGE]),
            "masks": records.decode_mask(fields[records.MASK]),
            "labels": fields[records.LABEL],
        }
        for name, value in decoded.items():
            found.setdefault(name, []).append(value.numpy())
    return {name: np.stack(values) for name, values in found.items()}


def main() -> None:
    """Converts four photographs in two classes, and trains for an epoch of two steps."""
    with tempfile.TemporaryDirectory() as place:
        for index in range(4):
            path = pathlib.Path(place, "photographs", "ab"[index % 2], f"{index}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(photograph(index)).save(path)
        mask_generation.convert(
            pathlib.Path(place, "photographs"),
            FOLDER / "records",
            images_per_shard=2,
            flagged="keep",
            progress=False,
        )
    np.savez(FOLDER / "records.npz", allow_pickle=False, **contents(FOLDER))
    model, views = training(FOLDER)
    checkpoint = harl_tf.callbacks.Checkpoint(FOLDER / "run", views)
    model.fit(views, epochs=1, callbacks=[checkpoint], verbose=0)
    variables = {f"{index:03d}": each.numpy() for index, each in enumerate(model.variables)}
    np.savez(FOLDER / "variables.npz", allow_pickle=False, **variables)


if __name__ == "__main__":
    main()
