"""The order of the dimensions of images: every network of this package has the channels last."""

import keras


def check_channels_last() -> None:
    """Checks that Keras makes layers with the channels last.

    Raises:
        ValueError: If ``keras.json`` or ``keras.config.set_image_data_format`` says otherwise.

    Example:
        >>> check_channels_last()
    """
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            'Expected keras.config.image_data_format() to be "channels_last", the order of the '
            f"images, masks and feature maps. Received: {keras.config.image_data_format()!r}. "
            'Call keras.config.set_image_data_format("channels_last") before building networks, '
            "or change it in keras.json."
        )
