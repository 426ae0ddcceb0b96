"""The sections of the page of pictures."""

import io
import pathlib
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from PIL import Image

from harl_tf.data import PairedViews, read_manifest
from harl_tf.data import records as schema
from harl_tf.evaluation import similarity_maps
from harl_tf.pretraining import Pretraining
from harl_tf.reports import Section, color_map
from mask_generation import draw_mask
from quickstart_parts.label_efficiency import HEADER, Row
from quickstart_parts.labeled import Labeled

_ARMS = (("pretrained", "#b2182b"), ("random", "#666666"))


def draw_table(rows: Sequence[Row], text: str, chance: float) -> Section:
    """Accuracy by the number of labeled images, as a table and a figure."""
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axis = figure.subplots()
    places = np.arange(len(rows))
    for shift, (arm, color) in zip((-0.06, 0.06), _ARMS, strict=True):
        draws = np.array([getattr(row, arm) for row in rows])
        errors = draws.std(axis=1, ddof=1) / np.sqrt(draws.shape[1])
        label = "pretrained" if arm == "pretrained" else "random initialization"
        axis.errorbar(
            places + shift, draws.mean(axis=1), errors, color=color, marker="o", capsize=4,
            label=label,
        )  # fmt: skip
        for column in draws.T:
            axis.plot(places + shift, column, ".", color=color, alpha=0.35, markersize=5)
    axis.axhline(chance, color="#bbbbbb", linestyle=":")
    axis.annotate("chance", (places[-1], chance), va="bottom", ha="right", color="#888888")
    axis.set_xticks(places, [row.count for row in rows])
    axis.set(xlabel="labeled images a class", ylabel="accuracy on held-out images", ylim=(0, 1))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.12))
    return Section(
        "How many labels does pretraining save?",
        text,
        HEADER,
        [row.cells() for row in rows],
        _png(figure),
    )


def draw_task(
    classes: Sequence[str], train: Labeled, test: Labeled, text: str, each: int = 5
) -> Section:
    """Some images of every class, to learn from and to test on; at most 20 classes."""
    rows: list[list[np.ndarray | str]] = []
    for label, name in list(enumerate(classes))[:20]:
        row: list[np.ndarray | str] = [name.replace("_", " ")]
        for part in (train, test):
            images = part.images[part.labels == label]
            chosen = images[np.linspace(0, len(images) - 1, min(each, len(images))).astype(int)]
            row.append(np.concatenate(list(chosen), axis=1))
        rows.append(row)
    return Section("The task", text, ("class", "labeled images", "held-out images"), rows)


def draw_photographs(
    before: keras.Model, after: keras.Model, records: pathlib.Path, side: int, count: int = 8
) -> Section:
    """Photographs, masks, and where each backbone sees foreground."""
    rows = []
    for image, mask in some_records(records, count, side):
        row = [draw_mask(image, np.ones_like(mask), 160), draw_mask(image, mask, 160)]
        for backbone in (before, after):
            contrast = similarity_maps(backbone, image, mask).contrast
            height = round(160 * image.shape[0] / max(image.shape))
            row.append(color_map(contrast, height, limit=0.6))
        rows.append(row)
    return Section(
        "Photographs and how the backbone sees them",
        "Similarity of each cell to the mean feature of the foreground (red) and of the background "
        "(blue), before and after pretraining. White: the backbone cannot tell them apart.",
        ("photograph", "mask", "before pretraining", "after pretraining"),
        rows,
    )


def some_records(
    records: pathlib.Path, count: int, side: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images and masks of evenly spaced records, scaled to multiples of the backbone's stride."""
    manifest = read_manifest(records)
    files = [str(records / shard.file) for shard in manifest.shards]
    found = []
    for serialized in (
        tf.data.TFRecordDataset(files).shard(max(1, manifest.records // count), 0).take(count)
    ):
        fields = schema.parse(serialized)
        image = schema.decode_image(fields["image"]).numpy()
        mask = schema.decode_mask(fields["mask"]).numpy()
        scale = side / max(mask.shape)
        shape = [max(16, round(length * scale / 16) * 16) for length in mask.shape[::-1]]
        image = Image.fromarray(image).resize(shape, Image.Resampling.BICUBIC)
        mask = Image.fromarray(mask).resize(shape, Image.Resampling.NEAREST)
        found.append((np.asarray(image), np.asarray(mask)))
    return found


def draw_views(model: Pretraining, views: PairedViews, count: int = 6) -> Section:
    """The input of one training step."""
    batch = next(iter(views.from_epoch(0)))
    rows = []
    pair = model.augment(batch)
    for index in range(min(count, views.batch_size)):
        row = []
        for view in pair:
            image = np.asarray(tf.cast(view.images[index], tf.float32)).round().astype(np.uint8)
            row += [enlarge(image, 128), draw_mask(image, np.asarray(view.masks[index]), 128)]
        rows.append(row)
    header = ("first view", "its mask", "second view", "its mask")
    return Section("Two views of each photograph", "Epoch 0, first batch.", header, rows)


def enlarge(image: np.ndarray, side: int) -> np.ndarray:
    """Scales a square picture."""
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def draw_curves(log: pathlib.Path) -> Section:
    """Loss terms, spread of the embeddings and kNN accuracy over the epochs."""
    table = np.atleast_1d(np.genfromtxt(log, delimiter=",", names=True))
    figure = Figure(figsize=(14, 3), layout="constrained")
    axes = figure.subplots(1, 4)
    names = ("loss_instance", "loss_pixel", "embedding_std", "knn_accuracy")
    for axis, name in zip(axes, names, strict=True):
        measured = np.isfinite(table[name])
        axis.plot(table["epoch"][measured], table[name][measured], marker=".")
        axis.set(title=name, xlabel="epoch")
        axis.spines[["top", "right"]].set_visible(False)
    text = (
        "Healthy: both losses fall, and the spread of the embeddings (1 = over the whole sphere, "
        "0 = collapsed to one vector) stays well above 0."
    )
    return Section("Is it learning?", text, figure=_png(figure))


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=90)
    return buffer.getvalue()
