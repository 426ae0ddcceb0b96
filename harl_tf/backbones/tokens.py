"""Transformers: sequences of tokens as feature maps."""

import keras

_MOST_SPECIAL_TOKENS = 5
"""A class token and four registers, as in DINOv2."""


def token_map(
    tokens: keras.KerasTensor, height: int | None, width: int | None
) -> tuple[str, keras.KerasTensor]:
    """Arranges the tokens of a transformer as a feature map.

    Tokens for which there is no patch (class, distillation, registers), which come first, are
    dropped.

    Args:
        tokens: ``(batch, tokens, channels)``, the patches row by row.
        height: Height of the image in pixels.
        width: Its width.

    Returns:
        The level, ``"P4"`` for patches of 16 pixels, and the map
        ``(batch, height / patch, width / patch, channels)``.

    Raises:
        ValueError: If the patches are not squares with a side of 2, 4, 8, 16, 32 or 64 pixels.

    Example:
        >>> level, cells = token_map(keras.Input((17, 8)), 64, 64)
        >>> level, cells.shape
        ('P4', (None, 4, 4, 8))
    """
    count, channels = tokens.shape[1:]
    for level in range(1, 7) if height and width and count else ():
        rows, columns = height / 2**level, width / 2**level
        special = count - rows * columns
        if rows.is_integer() and columns.is_integer() and 0 <= special <= _MOST_SPECIAL_TOKENS:
            patches = keras.layers.Cropping1D((int(special), 0))(tokens)
            shape = (int(rows), int(columns), channels)
            return f"P{level}", keras.layers.Reshape(shape)(patches)
    raise ValueError(
        "Expected a transformer with images of a fixed size and square patches of 2, 4, 8, 16, 32 "
        f"or 64 pixels. Received: tokens of shape {tuple(tokens.shape)} for images of "
        f"{height}×{width} pixels. Build the network with image_shape=(height, width, 3), or "
        "reshape its tokens to maps (batch, height, width, channels) yourself."
    )


def is_token_sequence(tensor: keras.KerasTensor) -> bool:
    """Whether an output is a sequence of tokens, not a map.

    Example:
        >>> is_token_sequence(keras.Input((17, 8)))
        True
    """
    return len(tensor.shape) == 3
