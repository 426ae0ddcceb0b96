"""The networks of recipes: plain values that make a backbone.

Owns how a recipe describes its network. Building networks is up to ``harl_tf.backbones``.
"""

import dataclasses
from typing import Protocol

import keras

from harl_tf import backbones


class Network(Protocol):
    """What a recipe needs to know of its network; ``str`` of it is printed."""

    def stride_for(self, image_size: int) -> int:
        """Image pixels per cell of the last map, of which the side of a view must be a multiple.

        Args:
            image_size: Side of the views in pixels.
        """

    def build(self, image_size: int) -> keras.Model:
        """A new backbone, as made by ``harl_tf.backbones.feature_pyramid``.

        Args:
            image_size: Side of the views it is to be trained on, in pixels.
        """


@dataclasses.dataclass(frozen=True)
class ResNet:
    """KerasHub's ResNet; see ``harl_tf.backbones.resnet``.

    Attributes:
        depth: 18, 34, 50, 101 or 152. Default: 50.
        stride: Image pixels per cell of its last map, 32, 16 or 8. Default: 32.

    Example:
        >>> print(ResNet(18, stride=16))
        ResNet-18, output stride 16
    """

    depth: int = 50
    stride: int = 32

    def stride_for(self, image_size: int) -> int:
        """The same for all sizes."""
        return self.stride

    def build(self, image_size: int) -> keras.Model:
        """A new backbone, the same for all sizes."""
        return backbones.resnet(self.depth, self.stride)

    def __str__(self) -> str:
        return f"ResNet-{self.depth}, output stride {self.stride}"


RESNET_50 = ResNet()
"""The network of most papers."""


@dataclasses.dataclass(frozen=True)
class SmallResNet:
    """A ResNet without pooling in its stem; see ``harl_tf.backbones.small_resnet``.

    Attributes:
        depth: 10, 18 or 34. Default: 10.
        width: Channels of its first blocks. Default: 32.
        large: Side of the views in pixels from which on the stem has a stride of 4 instead of 2.
            Default: 160.

    Example:
        >>> network = SmallResNet()
        >>> print(network)
        ResNet-10 of width 32, no pooling, output stride 16, from 160 pixels on 32
        >>> network.stride_for(48), network.stride_for(224)
        (16, 32)
    """

    depth: int = 10
    width: int = 32
    large: int = 160

    def stem_stride_for(self, image_size: int) -> int:
        """Image pixels per cell of the first map."""
        return 4 if image_size >= self.large else 2

    def stride_for(self, image_size: int) -> int:
        """Eight times that of the stem."""
        return 8 * self.stem_stride_for(image_size)

    def build(self, image_size: int) -> keras.Model:
        """A new backbone."""
        stem_stride = self.stem_stride_for(image_size)
        return backbones.small_resnet(self.depth, self.width, stem_stride)

    def __str__(self) -> str:
        return (
            f"ResNet-{self.depth} of width {self.width}, no pooling, output stride "
            f"{self.stride_for(0)}, from {self.large} pixels on {self.stride_for(self.large)}"
        )
