"""The whole pipeline in one command: photographs → masks → pretraining → SavedModel → fine-tuning.

    python examples/quickstart.py

Without arguments it uses the data that comes with scikit-image, so nothing is downloaded: sixteen
photographs for pretraining, and two hundred small pictures of faces and other things for probing
and fine-tuning. Use ``--photographs`` and ``--labelled`` (one subfolder per class) for your own. If
interrupted, run the same command again to continue from the last saved epoch.
"""

import io
import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import numpy as np
import skimage.data
from absl import app, flags, logging
from matplotlib.figure import Figure
from PIL import Image

import mask_generation
from harl_tf.data import PairedViews, labeled_images, read_manifest
from harl_tf.evaluation import similarity_maps
from harl_tf.reports import Section, color_map, write_page
from mask_generation import draw_mask, find_images

FLAGS = flags.FLAGS
flags.DEFINE_string("photographs", None, "Folder of unlabeled photographs to pretrain on.")
flags.DEFINE_string("labelled", None, "Folder with one subfolder of photographs per class.")
flags.DEFINE_string("out", "quickstart_output", "Folder for all outputs.")
flags.DEFINE_integer(
    "epochs", 20, "Pretraining epochs; fine-tuning uses the same number, at most 6.", lower_bound=1
)
flags.DEFINE_integer("batch_size", 16, "Photographs per batch.", lower_bound=2)
flags.DEFINE_integer("image_size", 64, "Side of the views in pixels.", lower_bound=32)
flags.DEFINE_integer("steps", 25, "Minimum number of steps per epoch.", lower_bound=1)

# Color, grayscale, microscopes and a telescope: the photographs that come with scikit-image.
_PHOTOGRAPHS = (
    *("astronaut", "brick", "camera", "cat", "cell", "clock", "coffee", "coins", "grass"),
    *("gravel", "hubble_deep_field", "immunohistochemistry", "moon", "retina", "rocket"),
    "stereo_motorcycle",
)


def write_bundled_photographs(folder: pathlib.Path) -> None:
    """Writes scikit-image's photographs as files, as if they came from a camera."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _PHOTOGRAPHS:
        picture = getattr(skimage.data, name)()
        picture = picture[0] if isinstance(picture, tuple) else picture
        image = Image.fromarray(np.asarray(picture, np.uint8)).convert("RGB")
        image.thumbnail((400, 400))
        image.save(folder / f"{name}.jpg", quality=92)


def write_bundled_labeled(folder: pathlib.Path) -> None:
    """Writes scikit-image's face pictures: a hundred faces and a hundred non-faces."""
    pictures = skimage.data.lfw_subset()
    for index, picture in enumerate(pictures):
        subfolder = folder / ("face" if index < len(pictures) // 2 else "other")
        subfolder.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(np.round(picture * 255).astype(np.uint8))
        image.resize((96, 96), Image.Resampling.BICUBIC).save(subfolder / f"{index:03d}.png")


def check_sources(out: pathlib.Path) -> None:
    """Records what the output is made from, and refuses to continue with other photographs."""
    sources = {
        name: str(pathlib.Path(folder).resolve()) if folder else "scikit-image"
        for name, folder in (("photographs", FLAGS.photographs), ("labelled", FLAGS.labelled))
    }
    if FLAGS.labelled and not find_images(FLAGS.labelled).classes:
        raise FileNotFoundError(f"{FLAGS.labelled} needs one subfolder of photographs per class.")
    noted = out / "sources.json"
    if noted.exists() and json.loads(noted.read_text()) != sources:
        raise FileExistsError(
            f"{out} was made from other photographs ({noted}). Choose another folder with --out."
        )
    out.mkdir(parents=True, exist_ok=True)
    noted.write_text(json.dumps(sources))


def make_records(out: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """Turns both folders of photographs into records with masks, unless already done."""
    records, labeled = out / "records", out / "labelled"
    if not records.exists():
        source = FLAGS.photographs
        if source is None:
            write_bundled_photographs(out / "photographs")
        mask_generation.convert(source or out / "photographs", records, longest_side=400)
    if not labeled.exists():
        source = FLAGS.labelled
        if source is None:
            write_bundled_labeled(out / "labelled_photographs")
        # Classification needs no masks, so no picture is left out for lack of a good one.
        mask_generation.convert(
            source or out / "labelled_photographs", labeled, longest_side=400, flagged="keep"
        )
    if not all(half.cardinality() for half in halves(labeled)):
        raise harl_tf.data.RecordsError(
            f"{labeled} has too few photographs to split them into training and test halves."
        )
    return records, labeled


def make_model(steps: int) -> harl_tf.HAPiCL:
    """HAPiCL on a ResNet-18 whose last map has a cell per 16 pixels."""
    keras.utils.set_random_seed(0)
    colors = [harl_tf.layers.moco_color() for _ in range(2)]
    model = harl_tf.HAPiCL(harl_tf.backbones.resnet(18, output_stride=16), augmentations=colors)
    rate = harl_tf.schedules.warmup_cosine(0.03, steps, warmup_steps=steps // 10)
    model.compile(keras.optimizers.SGD(rate, momentum=0.9, weight_decay=1e-4))
    return model


def pretrain(model: harl_tf.HAPiCL, views: PairedViews, labeled: pathlib.Path) -> None:
    """Trains from the last saved epoch."""
    out = pathlib.Path(FLAGS.out)
    checkpoint = harl_tf.callbacks.Checkpoint(out / "run", views)
    first = checkpoint.resume(model)
    if first:
        print(f"Continuing after epoch {first}.")
    if first >= FLAGS.epochs:
        return
    train, test = halves(labeled)
    probe = harl_tf.callbacks.KNNProbe(train, test, every=5)
    if first == 0:
        probe.set_model(model)
        print(f"before training: {probe.score()}")
    callbacks = [probe, harl_tf.callbacks.EpochLog(out / "log.csv"), checkpoint]
    model.fit(views, epochs=FLAGS.epochs, initial_epoch=first, callbacks=callbacks)


def halves(labeled: pathlib.Path) -> list:
    """Labeled pictures for training and for testing, split by a hash of their names."""
    first, second = harl_tf.data.in_first_half, harl_tf.data.in_second_half
    return [
        labeled_images(labeled, FLAGS.image_size, 16, keep=first, shuffle_seed=0),
        labeled_images(labeled, FLAGS.image_size, 16, keep=second),
    ]


def finetune(backbone: keras.Model, labeled: pathlib.Path) -> tuple[keras.Model, float]:
    """Trains a classifier on a backbone; plain Keras. Returns it and its accuracy."""
    train, test = halves(labeled)
    classes = len(read_manifest(labeled).classes)
    images = keras.Input((FLAGS.image_size, FLAGS.image_size, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(backbone(images)["P5"])
    outputs = keras.layers.Dense(classes, name="classes", dtype="float32")(pooled)
    classifier = keras.Model(images, outputs)
    classifier.compile(
        keras.optimizers.AdamW(1e-4),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    classifier.fit(train, epochs=min(6, FLAGS.epochs), verbose=0, shuffle=False)
    return classifier, classifier.evaluate(test, verbose=0)[1]


def draw_photographs(
    before: keras.Model, after: keras.Model, records: pathlib.Path, count: int = 8
) -> Section:
    """Photographs, masks, and where each backbone sees foreground."""
    rows = []
    for image, mask in some_records(records, count):
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


def some_records(records: pathlib.Path, count: int, side: int = 256) -> list:
    """Images and masks of the first records, scaled to a multiple of the backbone's stride."""
    import tensorflow as tf

    from harl_tf.data import records as schema

    files = [str(records / shard.file) for shard in read_manifest(records).shards]
    found = []
    for serialized in tf.data.TFRecordDataset(files).take(count):
        fields = schema.parse(serialized)
        image = schema.decode_image(fields["image"]).numpy()
        mask = schema.decode_mask(fields["mask"]).numpy()
        scale = side / max(mask.shape)
        shape = [max(16, round(length * scale / 16) * 16) for length in mask.shape[::-1]]
        image = Image.fromarray(image).resize(shape, Image.Resampling.BICUBIC)
        mask = Image.fromarray(mask).resize(shape, Image.Resampling.NEAREST)
        found.append((np.asarray(image), np.asarray(mask)))
    return found


def draw_views(model: harl_tf.HAPiCL, views: PairedViews, count: int = 6) -> Section:
    """The input of one training step."""
    batch = next(iter(views.from_epoch(0)))
    rows = []
    pair = model.augment(batch)
    for index in range(min(count, views.batch_size)):
        row = []
        for view in pair:
            image = np.asarray(view.images[index]).round().astype(np.uint8)
            row += [enlarge(image, 128), draw_mask(image, np.asarray(view.masks[index]), 128)]
        rows.append(row)
    header = ("first view", "its mask", "second view", "its mask")
    return Section("Two views of each photograph", "Epoch 0, first batch.", header, rows)


def enlarge(image: np.ndarray, side: int) -> np.ndarray:
    """Scales a square picture."""
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def draw_curves(log: pathlib.Path) -> Section:
    """Loss terms, spread of the embeddings and kNN accuracy over the epochs."""
    table = np.genfromtxt(log, delimiter=",", names=True)
    table = np.atleast_1d(table)
    figure = Figure(figsize=(14, 3), layout="constrained")
    axes = figure.subplots(1, 4)
    names = ("loss_instance", "loss_pixel", "embedding_std", "knn_accuracy")
    for axis, name in zip(axes, names, strict=True):
        axis.plot(table["epoch"], table[name], marker=".")
        axis.set(title=name, xlabel="epoch")
        axis.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=90)
    text = (
        "Healthy: both losses fall, and the spread of the embeddings (1 = over the whole sphere, "
        "0 = collapsed to one vector) stays well above 0."
    )
    return Section("Is it learning?", text, figure=buffer.getvalue())


def run() -> None:
    """Runs all steps."""
    out = pathlib.Path(FLAGS.out)
    print("1/4 masks and records")
    check_sources(out)
    records, labeled = make_records(out)
    count = read_manifest(records).records
    batch = min(FLAGS.batch_size, count)
    passes = -(-FLAGS.steps // (count // batch))
    views = PairedViews(records, batch, FLAGS.image_size, passes_per_epoch=passes)

    print("2/4 pretraining")
    model = make_model(FLAGS.epochs * views.steps_per_epoch)
    before = keras.models.clone_model(model.backbone)
    before.set_weights(model.backbone.get_weights())
    pretrain(model, views, labeled)

    print("3/4 export and fine-tuning")
    card = harl_tf.export.Card(data=FLAGS.photographs or "16 photographs of scikit-image")
    saved = harl_tf.export_backbone(model, out / "backbone", card, overwrite=True)
    classifier, accuracy = finetune(harl_tf.load_backbone(saved), labeled)
    # With Keras's own batch normalization the file opens without harl_tf.
    harl_tf.backbones.rebuild(classifier, keras.layers.BatchNormalization).save(
        out / "classifier.keras"
    )
    photographs = draw_photographs(before, model.backbone, records)
    _, from_scratch = finetune(before, labeled)  # from here on, `before` is trained
    print(f"accuracy, fine-tuned from the pretrained backbone: {accuracy:.3f}")
    print(f"accuracy, the same from random initialization:     {from_scratch:.3f}")

    print("4/4 pictures")
    sections = [
        photographs,
        draw_views(model, views),
        draw_curves(out / "log.csv"),
    ]
    page = write_page(out / "pictures.html", "harl_tf quickstart", sections)
    print(f"\nSavedModel:        {saved}")
    print(f"fine-tuned model:  {out / 'classifier.keras'}")
    print(f"page of pictures:  {page}")


def main(_: list[str]) -> int:
    """Runs, and reports errors that a user can cause in one line."""
    logging.set_verbosity(logging.WARNING)
    known = (
        mask_generation.ConversionError,
        harl_tf.data.RecordsError,
        harl_tf.callbacks.ResumeError,
        harl_tf.export.ExportError,
        OSError,
    )
    try:
        run()
    except known as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command to continue after the last saved epoch.")
        return 130
    return 0


if __name__ == "__main__":
    app.run(main)
