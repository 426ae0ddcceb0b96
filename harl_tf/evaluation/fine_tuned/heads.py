"""First weights for the heads of KerasHub's RetinaNet."""

import keras
import keras_hub
import numpy as np

_PRIOR = 0.01
"""Probability of an object at every anchor before anything was learned."""


def fresh_heads(model: keras_hub.models.RetinaNetObjectDetector, seed: int = 0) -> None:
    """Gives the heads of a new detector weights to learn from.

    RetinaNet begins with hardly an object anywhere (Lin et al. 2017, Focal Loss for Dense Object
    Detection, section 4.1), so that the many empty anchors do not drown the others. KerasHub 0.32
    gives that to the head for boxes instead of the one for classes, and weights with which values
    grow from layer to layer; a detector of new heads then learns nothing for a long time.

    Args:
        model: A detector that was not trained. Its heads are changed.
        seed: Of the weights. Default: 0.

    Example:
        >>> import keras_hub
        >>> pyramid = keras_hub.models.RetinaNetBackbone(
        ...     resnet(18), min_level=3, max_level=5, use_p5=False, image_shape=(64, 64, 3)
        ... )
        >>> model = keras_hub.models.RetinaNetObjectDetector(
        ...     pyramid, num_classes=1, bounding_box_format="xyxy"
        ... )
        >>> fresh_heads(model)
        >>> scores = model(np.zeros((1, 64, 64, 3)))["cls_logits"]
        >>> bool(keras.ops.sigmoid(scores).numpy().max() < 0.1)
        True
    """
    random = keras.random.SeedGenerator(seed)
    for head in (model.box_head, model.classification_head):
        for layer in head.conv_layers:
            layer.kernel.assign(keras.initializers.HeNormal(random)(layer.kernel.shape))
        last = head.prediction_layer
        last.kernel.assign(keras.random.normal(last.kernel.shape, stddev=0.01, seed=random))
        last.bias.assign(np.zeros(last.bias.shape))
    bias = model.classification_head.prediction_layer.bias
    bias.assign(np.full(bias.shape, -np.log((1 - _PRIOR) / _PRIOR)))
