"""Fine-tunes KerasHub's DeepLabV3 on a backbone, to find the pixels of coins.

    python examples/segment.py BACKBONE [--epochs=N]

Prints the intersection over union of a linear head on the frozen features, and of the network.
"""

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import keras_hub
import numpy as np
import sample_data
from absl import app, flags

EPOCHS = flags.DEFINE_integer("epochs", 10, "Passes over the pictures.")


def main(argv: list[str]) -> None:
    """Trains on the left of a photograph and is scored on the right."""
    parts = [sample_data.coins(count, test) for count, test in ((200, False), (50, True))]
    (images, labels), (test_images, truth) = [(image, (coin > 0) * 1) for image, coin in parts]
    backbone = harl_tf.load_backbone(argv[1])
    last = list(backbone.output)[-1]  # its name says its stride
    print(
        harl_tf.evaluation.segmentation_score(
            backbone, [(images, labels)], [(test_images, truth)], classes=2
        )
    )
    encoder = keras_hub.models.DeepLabV3Backbone(
        image_encoder=backbone,
        low_level_feature_key="P2",
        spatial_pyramid_pooling_key=last,
        upsampling_size=2 ** int(last[1]) // 4,
        dilation_rates=[1, 2, 3],
        image_shape=images.shape[1:],
    )
    model = keras_hub.models.DeepLabV3ImageSegmenter(encoder, num_classes=2, activation="softmax")
    model.compile(keras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy")
    model.fit(images, labels[..., None], epochs=EPOCHS.value, batch_size=16, verbose=2)
    found = model.predict(test_images, verbose=0).argmax(axis=-1)
    confusions = [harl_tf.evaluation.confusion(*pair, 2) for pair in zip(truth, found, strict=True)]
    print(harl_tf.evaluation.Overlap("DeepLabV3", np.stack(confusions)))


if __name__ == "__main__":
    app.run(main)
