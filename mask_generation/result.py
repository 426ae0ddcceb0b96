"""The input and output of mask computations.

Owns: the check that an array is an 8-bit RGB image, and :class:`ForegroundMask`, the result of
every mask computation. Does not own: how a mask is computed (``mask_generation.foreground``,
``mask_generation.methods``) or how it is stored on disk.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True, eq=False)
class ForegroundMask:
    """A binary foreground mask, the map it was cut from, and how far to trust it.

    Results compare by identity (comparing arrays element by element has no single answer).

    Attributes:
        mask: uint8 array of shape (H, W), 1 = foreground, 0 = background.
        saliency: float32 array of shape (H, W) in [0, 1], 1 = surely foreground.
        quality: How far to trust the mask, in [0, 1], as judged by its method: for single maps, how
            cleanly the saliency splits in two (between-class variance over total variance); the
            fusion has its own measure. Only compare it within one method.
        flag: Why the mask should not be trusted, in a few words (for example ``"flat image"``);
            None if there is no reason.

    Example:
        >>> import numpy as np
        >>> mask = np.array([[0, 1], [0, 0]], dtype=np.uint8)
        >>> result = ForegroundMask(mask, mask.astype(np.float32), quality=1.0, flag=None)
        >>> result.foreground_share
        0.25
    """

    mask: NDArray[np.uint8]
    saliency: NDArray[np.float32]
    quality: float
    flag: str | None

    @property
    def foreground_share(self) -> float:
        """Share of the pixels that are foreground, in [0, 1].

        Returns:
            The mean of ``mask``.

        Example:
            >>> import numpy as np
            >>> empty = np.zeros((4, 4), dtype=np.uint8)
            >>> ForegroundMask(empty, empty.astype(np.float32), 0.0, "flat image").foreground_share
            0.0
        """
        return float(self.mask.mean())


def check_rgb(image: object) -> NDArray[np.uint8]:
    """Returns the image unchanged if it is an 8-bit RGB array; raises if it is not.

    Args:
        image: What the caller passed; valid is a uint8 array of shape (H, W, 3) with H, W >= 1,
            values 0 to 255.

    Returns:
        The same array.

    Raises:
        TypeError: If ``image`` is not a numpy array.
        ValueError: If its dtype or shape is different.

    Example:
        >>> import numpy as np
        >>> check_rgb(np.zeros((2, 5, 3), dtype=np.uint8)).shape
        (2, 5, 3)
        >>> check_rgb(np.zeros((2, 5), dtype=np.uint8))
        Traceback (most recent call last):
        ...
        ValueError: Expected an image of shape (height, width, 3) with at least one pixel. ...
    """
    if not isinstance(image, np.ndarray):
        raise TypeError(
            f"Expected the image as a numpy array of uint8. Received: a {type(image).__name__}."
        )
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(
            "Expected an image of shape (height, width, 3) with at least one pixel. "
            f"Received shape: {image.shape}. Convert gray or RGBA images to RGB first."
        )
    if image.dtype != np.uint8:
        raise ValueError(
            f"Expected the image as uint8 with values 0 to 255. Received dtype: {image.dtype}."
        )
    return image
