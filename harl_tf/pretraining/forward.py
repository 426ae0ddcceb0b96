"""The forward pass of one batch.

Owns what a branch sees of a batch: the two views, and the feature maps of the online and target
networks, each computed on first access. A method that needs the target network for the second view
only, such as MoCo, does not pay for the first.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import tensorflow as tf

from harl_tf.losses import CellLabels, cell_labels


class View(NamedTuple):
    """One augmented view of a batch of images.

    Attributes:
        images: ``(batch, height, width, 3)`` float32, 0–255.
        masks: ``(batch, height, width)`` uint8 region numbers, 0 = background, 1 = foreground.
        windows: ``(batch, 7)`` int32, the view's crop window: top, left, height, width, 1 if
            mirrored, height and width of the image. None if the stream does not provide it.
        seeds: ``(batch, 2)`` int32, a function of (seed, epoch, example, view). None if the stream
            does not provide them.
    """

    images: tf.Tensor
    masks: tf.Tensor
    windows: tf.Tensor | None = None
    seeds: tf.Tensor | None = None


class TwoViews:
    """The outputs of one network for both views, ``[0]`` and ``[1]``, computed on first access.

    Args:
        network: Called as ``network(inputs, training=...)``.
        inputs: The inputs of the first and the second view.
        training: Whether batch statistics are used and learnt.
        together: Whether both views go through the network as one batch and so share batch
            statistics.

    Example:
        >>> doubled = TwoViews(lambda x, training: 2 * x, (tf.ones(3), tf.zeros(3)), True, True)
        >>> doubled[0].numpy().tolist()
        [2.0, 2.0, 2.0]
    """

    def __init__(
        self,
        network: Callable[..., Any],
        inputs: tuple[tf.Tensor, tf.Tensor],
        training: bool,
        together: bool,
    ) -> None:
        self._network, self._inputs = network, inputs
        self._training, self._together = training, together
        self._outputs: dict[int, Any] = {}

    def __getitem__(self, view: int) -> Any:
        if view not in self._outputs and self._together:
            outputs = self._network(tf.concat(self._inputs, axis=0), training=self._training)
            rows = tf.shape(self._inputs[0])[0]
            static = self._inputs[0].shape[0]
            self._outputs[0] = tf.nest.map_structure(lambda x: _rows(x, 0, rows, static), outputs)
            self._outputs[1] = tf.nest.map_structure(
                lambda x: _rows(x, rows, rows, static), outputs
            )
        elif view not in self._outputs:
            self._outputs[view] = self._network(self._inputs[view], training=self._training)
        return self._outputs[view]

    def __iter__(self) -> Iterator[Any]:
        """Both, for ``first, second = ...``."""
        return iter((self[0], self[1]))


class Forward:
    """A batch during a step: the input of ``Branch.loss_terms``.

    Attributes:
        views: The two views.
        online: Feature maps of the online network; ``online[0]["P5"]`` is a map of the first view.
        target: Feature maps of the target network, as constants. None if no branch uses it.
        step: Scalar, the number of updates so far, for schedules.
        training: Whether batch statistics are used and learnt.
        together: Whether the views share batch statistics.
    """

    def __init__(
        self,
        views: tuple[View, View],
        online: Callable[..., Any],
        target: Callable[..., Any] | None,
        step: tf.Tensor,
        training: bool,
        together: bool,
    ) -> None:
        images = (views[0].images, views[1].images)
        self.views, self.step = views, step
        self.training, self.together = training, together
        self.online = TwoViews(online, images, training, together)
        self.target: TwoViews | None = None
        if target is not None:
            network = target

            def constant(images: tf.Tensor, training: bool) -> Any:
                return tf.nest.map_structure(tf.stop_gradient, network(images, training=training))

            self.target = TwoViews(constant, images, training, together)

    def through(self, head: Callable[..., Any], first: tf.Tensor, second: tf.Tensor) -> TwoViews:
        """Applies a head to the rows of both views.

        Args:
            head: A head, or a composition of several.
            first: ``(rows, channels)`` of the first view.
            second: ``(rows, channels)`` of the second view; the same number of rows.

        Returns:
            The head's outputs, ``[0]`` and ``[1]``. The views share batch statistics if they do in
            the backbone.
        """
        return TwoViews(head, (first, second), self.training, self.together)

    def labels(
        self, grid: tuple[int, int], boundary_margin: float = 0.0, regions: int = 2
    ) -> tuple[CellLabels, CellLabels]:
        """The regions of the cells of both views; see ``harl_tf.losses.cell_labels``."""
        first, second = (
            cell_labels(view.masks, grid, boundary_margin, regions) for view in self.views
        )
        return first, second


def _rows(tensor: tf.Tensor, start: Any, count: tf.Tensor, static: int | None) -> tf.Tensor:
    rows = tensor[start : start + count]
    return tf.ensure_shape(rows, (static, *tensor.shape[1:]))
