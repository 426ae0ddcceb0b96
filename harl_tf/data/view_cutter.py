"""From the bytes of records to their two views.

Owns the order of work on a photograph: mask, windows, image, views. It runs in the stream's
threads, on several records per call, and draws no random numbers itself.
"""

import dataclasses
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from harl_tf.data import decoding, geometry
from harl_tf.data.aligned import aligned_empty


class Views(NamedTuple):
    """One view of each of several photographs.

    Attributes:
        images: ``(n, size, size, 3)`` uint8.
        masks: ``(n, size, size)`` region numbers, uint8 or uint16.
        windows: ``(n, 7)`` int32: top, left, height, width, 1 if mirrored, height and width of the
            photograph.
    """

    images: NDArray[np.uint8]
    masks: NDArray[Any]
    windows: NDArray[np.int32]

    @classmethod
    def empty(cls, count: int, size: int, mask_type: DTypeLike = np.uint8) -> "Views":
        """Uninitialized arrays for ``count`` views.

        Example:
            >>> Views.empty(4, 16).images.shape
            (4, 16, 16, 3)
        """
        return cls(
            aligned_empty((count, size, size, 3), np.uint8),
            aligned_empty((count, size, size), mask_type),
            np.empty((count, 7), np.int32),
        )


class EncodedImage(NamedTuple):
    """The parts of a record that views are made from.

    Attributes:
        name: Its name, for errors.
        jpeg: The photograph.
        png: Its mask.
        blank: Whether to treat the mask as all background.
    """

    name: bytes
    jpeg: bytes
    png: bytes
    blank: bool = False


Crops = tuple[geometry.RandomResizedCrop, geometry.RandomResizedCrop]


@dataclasses.dataclass(frozen=True)
class ViewCutter:
    """Crops two views from a record's photograph and mask.

    Attributes:
        crops: Geometry of the first and the second view.

    Example:
        >>> import cv2
        >>> photograph, mask = np.zeros((30, 40, 3), np.uint8), np.zeros((30, 40), np.uint8)
        >>> jpeg, png = (cv2.imencode(*e)[1] for e in ((".jpg", photograph), (".png", mask)))
        >>> cut = ViewCutter((geometry.RandomResizedCrop(), geometry.RandomResizedCrop()))
        >>> views = Views.empty(1, 16), Views.empty(1, 16)
        >>> draws = np.zeros((2, geometry.DRAWS))
        >>> cut(EncodedImage(b"a.jpg", jpeg.tobytes(), png.tobytes()), draws, views, 0)
        >>> views[1].windows[0, 5:].tolist()
        [30, 40]
    """

    crops: Crops

    def __call__(
        self, record: EncodedImage, draws: NDArray[Any], views: tuple[Views, Views], row: int
    ) -> None:
        """Crops both views.

        Args:
            record: The record.
            draws: ``(2, n)``, uniform in [0, 1); each view uses as many as its crop needs.
            views: Where the first and the second view are written.
            row: Row of ``views`` to write to.

        Raises:
            ValueError: If the record is damaged.
        """
        size = views[0].images.shape[1]
        try:
            mask = decoding.decode_regions(record.png)
            if record.blank:
                mask = np.zeros_like(mask)
            windows = [
                geometry.choose_window(own, mask, crop)
                for own, crop in zip(draws.tolist(), self.crops, strict=True)
            ]
            factor = decoding.reduction(windows, size)
            image = decoding.decode_photograph(record.jpeg, factor)
            _check_size(image, mask, factor)
        except ValueError as error:
            raise ValueError(
                f"The record {record.name.decode()!r} is damaged. {error} `python -m "
                "mask_generation verify` finds all such records of a folder."
            ) from error
        for own, drawn in zip(views, windows, strict=True):
            window = drawn.on_grid(factor)
            geometry.cut_image(image, window.scaled_down(factor), own.images[row])
            geometry.cut_mask(mask, window, own.masks[row])
            own.windows[row] = (*window, *mask.shape)


def _check_size(image: NDArray[Any], mask: NDArray[Any], factor: int) -> None:
    height, width = (-(-side // factor) for side in mask.shape)
    if image.shape[:2] != (height, width):
        raise ValueError(
            f"Expected a photograph and a mask of the same height and width. Received: a mask of "
            f"{mask.shape} and a photograph of {image.shape[:2]} at 1/{factor} of its size."
        )
