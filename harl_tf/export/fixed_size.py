"""A backbone for one image of one size, as converters to other formats want it."""

import pathlib
import tempfile

import keras
import tensorflow as tf

from harl_tf.export.artifact import ExportError, first_line
from harl_tf.export.native import plain
from harl_tf.precision import dtype_policy


def converted(network: keras.Model, form: str, name: str) -> bytes:
    """The content of a file that Keras converts a network to.

    Args:
        network: As ``of_one_size`` makes it.
        form: ``"litert"`` or ``"onnx"``.
        name: Name of the file, whose ending Keras asks for.

    Raises:
        ExportError: If the converter fails, with the first line of what it says.

    Example:
        >>> network = of_one_size(harl_tf.backbones.small_resnet(10, width=8), 32)
        >>> converted(network, "litert", "backbone.tflite")[4:8]
        b'TFL3'
    """
    signature = [tf.TensorSpec(network.input.shape, tf.float32, name="images")]
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder, name)
        try:
            network.export(made, format=form, verbose=False, input_signature=signature)
        except Exception as error:  # converters raise all kinds
            raise ExportError(
                f"{network.name!r} cannot be converted to {name}: {first_line(error)[:300]} "
                "Nothing was written."
            ) from error
        return made.read_bytes()


def of_one_size(backbone: keras.Model, image_size: int) -> keras.Model:
    """A copy in float32 of plain Keras layers, for one image of a size.

    Args:
        backbone: A functional model of one image.
        image_size: Side of the image.

    Returns:
        A functional model whose input is called ``images``.

    Raises:
        ExportError: If the network is for images of another size.

    Example:
        >>> of_one_size(harl_tf.backbones.small_resnet(10, width=8), 32).input.shape
        (1, 32, 32, 3)
    """
    sides = backbone.inputs[0].shape[1:3]
    if None not in sides and sides[0] != sides[1]:
        raise ExportError(
            f"Expected a network of square images. Received: one of {sides[0]}×{sides[1]} pixels "
            "only."
        )
    if any(side not in (None, image_size) for side in sides):
        raise ExportError(
            f"Expected image_size={sides[0] or sides[1]}, the only size that this network takes. "
            f"Received: image_size={image_size}."
        )
    network = plain(backbone)
    with dtype_policy("float32"):
        image = keras.Input((image_size, image_size, 3), batch_size=1, name="images")
        return keras.Model(image, network(image, training=False), name=backbone.name)
