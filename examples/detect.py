"""Fine-tunes KerasHub's RetinaNet on a backbone, to find coins. Needs the extra ``evaluation``.

    python examples/detect.py BACKBONE [--epochs=N]

Prints COCO's average precision on the other half of the photograph.
"""

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import keras_hub
import sample_data
from absl import app, flags

from harl_tf.evaluation import average_precision, boxes_of, fresh_heads

EPOCHS = flags.DEFINE_integer("epochs", 10, "Passes over the pictures.")


def main(argv: list[str]) -> None:
    """Trains on the left of a photograph and is scored on the right."""
    (images, coins), (test_images, truth) = (
        sample_data.coins(count, test) for count, test in ((200, False), (50, True))
    )
    pyramid = keras_hub.models.RetinaNetBackbone(
        harl_tf.load_backbone(argv[1]), image_shape=images.shape[1:], **LEVELS
    )
    model = keras_hub.models.RetinaNetObjectDetector(
        pyramid, num_classes=1, bounding_box_format="xyxy"
    )
    fresh_heads(model)  # KerasHub's own learn nothing for a long time
    model.compile(keras.optimizers.AdamW(1e-3))
    model.fit(images, sample_data.boxes(coins), epochs=EPOCHS.value, batch_size=8, verbose=2)
    found = model.predict(test_images, batch_size=10, verbose=0)  # KerasHub wants equal batches
    print(average_precision(boxes_of(sample_data.boxes(truth)), boxes_of(found)))


LEVELS = {"min_level": 3, "max_level": 5, "use_p5": False}


if __name__ == "__main__":
    app.run(main)
