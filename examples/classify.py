"""Fine-tunes a backbone on class folders with plain Keras, and saves the classifier.

    python examples/classify.py BACKBONE [TRAIN TEST] [--epochs=N]

BACKBONE is a run, a folder of ``export_backbone``, a preset's name or an address. Without TRAIN and
TEST, folders of class folders, the classes are sixteen photographs and the images tiles of them.
"""

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import sample_data
from absl import app, flags

EPOCHS = flags.DEFINE_integer("epochs", 10, "Passes over the photographs.")
SIDE = 64


def main(argv: list[str]) -> None:
    """Prints the accuracy after every epoch."""
    folders = argv[2:4] or sample_data.class_folders()
    train, test = (
        keras.utils.image_dataset_from_directory(
            folder, image_size=(SIDE, SIDE), crop_to_aspect_ratio=True, verbose=False
        )
        for folder in folders
    )
    assert train.class_names == test.class_names, "TRAIN and TEST need the same class folders."
    images = keras.Input((SIDE, SIDE, 3))
    flipped = keras.layers.RandomFlip("horizontal")(images)
    *_, features = harl_tf.load_backbone(argv[1])(flipped).values()
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    answers = keras.layers.Dense(len(train.class_names), activation="softmax")(pooled)
    model = keras.Model(images, answers)
    rate = keras.optimizers.schedules.CosineDecay(1e-3, EPOCHS.value * len(train))
    model.compile(keras.optimizers.AdamW(rate), metrics=["accuracy"], loss=LOSS)
    model.fit(train, validation_data=test, epochs=EPOCHS.value, verbose=2)
    harl_tf.export.export_keras(model, "classifier.keras")  # opens without harl_tf


LOSS = "sparse_categorical_crossentropy"

if __name__ == "__main__":
    app.run(main)
