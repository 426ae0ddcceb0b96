"""One batch on its way through the networks.

Owns what a branch sees of a batch: the two views, and the feature maps of the online and of the
target network, each computed when it is first asked for. So a method that needs the target network
for the second view only, as MoCo does, pays for no more.
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
        windows: ``(batch, 7)`` int32, where the view lies in its image: top, left, height, width,
            1 if mirrored, height and width of the image. None if the stream does not say.
        seeds: ``(batch, 2)`` int32, a function of (seed, epoch, example, view). None likewise.
    """

    images: tf.Tensor
    masks: tf.Tensor
    windows: tf.Tensor | None = None
    seeds: tf.Tensor | None = None


class TwoViews:
    """The outputs of one network for both views, ``[0]`` and ``[1]``, computed when asked for.

    Args:
        network: What is applied, ``network(inputs, training=...)``.
        inputs: The input of the first and of the second view.
        training: Whether batch statistics are used and learnt.
        together: Whether both views go through the network in one batch, which then shares its
            batch statistics.

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
    """A batch in the middle of a step; what ``Branch.loss_terms`` works on.

    Attributes:
        views: The two views.
        online: Feature maps of the network that learns, ``online[0]["P5"]`` those of the first
            view.
        target: Feature maps of its moving average, as constants. None if no branch uses one.
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
        """Applies a head to rows of the first and of the second view.

        Args:
            head: A head, or several composed.
            first: ``(rows, channels)`` of the first view.
            second: ``(rows, channels)`` of the second, as many.

        Returns:
            The head's outputs, ``[0]`` and ``[1]``; batch statistics are shared between the views
            if those of the backbone are.
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
