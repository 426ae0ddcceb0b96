"""Random resized crop and flip, applied to an image and its mask together.

Owns where a view lies in its image. Colours are changed later, on the device
(``harl_tf.layers.RandomColour``); nothing here draws a random number, the draws are arguments.
"""

import dataclasses

import tensorflow as tf

ATTEMPTS = 10
DRAWS = 2 * ATTEMPTS + 3
"""Uniform draws in [0, 1) that one window needs."""


@dataclasses.dataclass(frozen=True)
class RandomResizedCrop:
    """Where views are cut: share of the image's area, aspect ratio, flip.

    Attributes:
        area: Smallest and largest share of the image's area. Default: (0.2, 1).
        aspect_ratio: Smallest and largest width/height. Default: (3/4, 4/3).
        flip_probability: Share of views mirrored left to right. Default: 0.5.
        minimum_foreground: Windows whose foreground share is not above this are drawn anew, within
            [0, 1); HARL's and HAPiCLR's releases have 0.3. Default: 0, any window will do.
        windows: How many windows are drawn at most, the last one taken as it is. Default: 5.
    """

    area: tuple[float, float] = (0.2, 1.0)
    aspect_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip_probability: float = 0.5
    minimum_foreground: float = 0.0
    windows: int = 5

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if not 0 < self.area[0] <= self.area[1] <= 1:
            raise ValueError(f"Expected 0 < area[0] ≤ area[1] ≤ 1. Received: area={self.area}.")
        if not 0 < self.aspect_ratio[0] <= self.aspect_ratio[1]:
            raise ValueError(
                "Expected 0 < aspect_ratio[0] ≤ aspect_ratio[1]. "
                f"Received: aspect_ratio={self.aspect_ratio}."
            )
        if not 0 <= self.flip_probability <= 1:
            raise ValueError(
                "Expected flip_probability within [0, 1]. "
                f"Received: flip_probability={self.flip_probability}."
            )
        if not 0 <= self.minimum_foreground < 1 or self.windows < 1:
            raise ValueError(
                "Expected minimum_foreground within [0, 1) and windows ≥ 1. Received: "
                f"minimum_foreground={self.minimum_foreground}, windows={self.windows}."
            )

    @property
    def draws(self) -> int:
        """Uniform draws in [0, 1) that one view needs."""
        return DRAWS * (self.windows if self.minimum_foreground > 0 else 1)


def draw_window(
    draws: tf.Tensor, height: tf.Tensor, width: tf.Tensor, crop: RandomResizedCrop
) -> tf.Tensor:
    """Chooses a window as torchvision's ``RandomResizedCrop`` does.

    Up to ten pairs of area (uniform) and aspect ratio (log-uniform) are drawn; the first that fits
    into the image counts, and if none does, the largest centred window of an allowed ratio.

    Args:
        draws: ``(DRAWS,)`` float32, uniform in [0, 1).
        height: Scalar int32, the image's.
        width: Scalar int32, the image's.
        crop: What windows are allowed.

    Returns:
        ``(5,)`` int32: top, left, height, width of the window in pixels, and 1 if it is mirrored.

    Example:
        >>> window = draw_window(tf.zeros(DRAWS), 100, 80, RandomResizedCrop(area=(1.0, 1.0)))
        >>> window.numpy().tolist()
        [0, 0, 100, 80, 1]
    """
    image_height, image_width = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    low, high = crop.area
    areas = (low + draws[:ATTEMPTS] * (high - low)) * image_height * image_width
    low, high = (tf.math.log(tf.constant(ratio, tf.float32)) for ratio in crop.aspect_ratio)
    ratios = tf.exp(low + draws[ATTEMPTS : 2 * ATTEMPTS] * (high - low))
    widths = tf.round(tf.sqrt(areas * ratios))
    heights = tf.round(tf.sqrt(areas / ratios))
    fits = (widths >= 1) & (widths <= image_width) & (heights >= 1) & (heights <= image_height)

    whole = image_width / image_height
    ratio = tf.clip_by_value(whole, *crop.aspect_ratio)
    centred_width = tf.round(tf.where(whole > ratio, image_height * ratio, image_width))
    centred_height = tf.round(tf.where(whole > ratio, image_height, image_width / ratio))
    found, first = tf.reduce_any(fits), tf.argmax(tf.cast(fits, tf.int32))
    window_height = tf.where(found, heights[first], tf.maximum(centred_height, 1.0))
    window_width = tf.where(found, widths[first], tf.maximum(centred_width, 1.0))
    vertical, horizontal, mirror = tf.unstack(draws[2 * ATTEMPTS :])
    # Without a fit the window is centred, whatever was drawn.
    vertical, horizontal = (tf.where(found, draw, 0.5) for draw in (vertical, horizontal))
    top = tf.floor(vertical * (image_height - window_height + 1.0))
    left = tf.floor(horizontal * (image_width - window_width + 1.0))
    flip = tf.cast(mirror < crop.flip_probability, tf.float32)
    return tf.cast(tf.stack([top, left, window_height, window_width, flip]), tf.int32)


def choose_window(draws: tf.Tensor, mask: tf.Tensor, crop: RandomResizedCrop) -> tf.Tensor:
    """Chooses a window with enough foreground, if ``crop`` asks for it.

    Args:
        draws: ``(crop.draws,)`` float32, uniform in [0, 1).
        mask: ``(height, width)`` int region numbers, 0 = background.
        crop: What windows are allowed.

    Returns:
        ``(5,)`` int32, as ``draw_window`` makes it: the first of ``crop.windows`` whose foreground
        share is above ``crop.minimum_foreground``, or else the last.

    Example:
        >>> crop = RandomResizedCrop(area=(1.0, 1.0), minimum_foreground=0.3)
        >>> choose_window(tf.zeros(crop.draws), tf.ones((100, 80), tf.uint8), crop).numpy().tolist()
        [0, 0, 100, 80, 1]
    """
    height, width = tf.shape(mask)[0], tf.shape(mask)[1]
    drawn = [
        draw_window(draws[start : start + DRAWS], height, width, crop)
        for start in range(0, crop.draws, DRAWS)
    ]
    if len(drawn) == 1:
        return drawn[0]
    foreground = tf.cast(mask > 0, tf.float32)
    shares = [
        tf.reduce_mean(foreground[top : top + rows, left : left + columns])
        for top, left, rows, columns, _ in map(tf.unstack, drawn)
    ]
    enough = tf.stack([*(share > crop.minimum_foreground for share in shares[:-1]), True])
    return tf.stack(drawn)[tf.argmax(tf.cast(enough, tf.int32))]


def cut_view(
    image: tf.Tensor, mask: tf.Tensor, window: tf.Tensor, size: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Cuts a window out of image and mask and scales both to a square.

    Pixel ``j`` of the view lies at ``left + (j + 0.5) * width / size - 0.5`` of the image, mirrored
    if the window is. Images are interpolated bilinearly, masks take the nearest pixel.

    Args:
        image: ``(height, width, 3)`` uint8.
        mask: ``(height, width)`` uint8, or int32 for more than 256 regions.
        window: ``(5,)`` int32, as ``draw_window`` makes it.
        size: Side of the view in pixels.

    Returns:
        The view ``(size, size, 3)``, uint8, and its mask ``(size, size)``, in the mask's type.
    """
    top, left, height, width, flip = tf.unstack(window)
    image = image[top : top + height, left : left + width]
    mask = mask[top : top + height, left : left + width, None]
    image = tf.image.resize(image, (size, size), method=tf.image.ResizeMethod.BILINEAR)
    image = tf.cast(tf.round(image), tf.uint8)
    mask = tf.image.resize(mask, (size, size), method=tf.image.ResizeMethod.NEAREST_NEIGHBOR)
    image, mask = tf.cond(
        flip == 1,
        lambda: (tf.reverse(image, axis=[1]), tf.reverse(mask, axis=[1])),
        lambda: (image, mask),
    )
    return tf.ensure_shape(image, (size, size, 3)), tf.ensure_shape(mask[..., 0], (size, size))
