"""Fine-tunes a released SavedModel with plain Keras: harl_tf need not be installed.

    python examples/finetune_savedmodel_without_harl_tf.py BACKBONE [TRAIN TEST] [--epochs=N]

BACKBONE is a folder of ``export_backbone``. Without TRAIN and TEST, folders of class folders, the
classes are sixteen photographs and the images tiles of them.
"""

import os
from collections.abc import Sequence

import keras
from absl import app, flags

EPOCHS = flags.DEFINE_integer("epochs", 10, "Passes over the photographs.")
SIDE = 64


def main(argv: list[str]) -> None:
    """Prints the accuracy after every epoch."""
    folders: Sequence[str | os.PathLike[str]] = argv[2:4]
    if not folders:
        import sample_data  # needs scikit-image and Pillow

        folders = sample_data.class_folders()
    train, test = (
        keras.utils.image_dataset_from_directory(
            folder, image_size=(SIDE, SIDE), crop_to_aspect_ratio=True, verbose=False
        )
        for folder in folders
    )
    backbone = keras.layers.TFSMLayer(
        argv[1], call_endpoint="serve", call_training_endpoint="serve_training", dtype="float32"
    )
    assert train.class_names == test.class_names, "TRAIN and TEST need the same class folders."
    images = keras.Input((SIDE, SIDE, 3))
    *_, features = backbone(images).values()
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    answers = keras.layers.Dense(len(train.class_names), activation="softmax")(pooled)
    model = keras.Model(images, answers)
    optimizer = keras.optimizers.AdamW(1e-3)
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    optimizer.build(model.trainable_variables)  # Keras 3.15 cannot do so inside fit
    model.fit(train, validation_data=test, epochs=EPOCHS.value, verbose=2)


if __name__ == "__main__":
    app.run(main)
