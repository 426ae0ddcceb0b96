"""The network of ``harl_tf.backbones.small_resnet`` in PyTorch."""

import torch
from torch import nn

_BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            *_convolved(inputs, outputs, 3, stride),
            nn.ReLU(inplace=True),
            *_convolved(outputs, outputs, 3, 1),
        )
        shortcut: list[nn.Module] = [nn.AvgPool2d(stride, ceil_mode=True)] if stride > 1 else []
        if inputs != outputs:
            shortcut += _convolved(inputs, outputs, 1, 1)
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.path(features) + self.shortcut(features))


class SmallResNet(nn.Module):
    """Images to the mean features of the last map.

    Args:
        depth: 10, 18 or 34.
        width: Channels of the first blocks.
        stem_stride: Pixels per cell of the first map.
    """

    def __init__(self, depth: int, width: int, stem_stride: int) -> None:
        super().__init__()
        layers = [
            *_convolved(3, width, max(stem_stride, 3), stem_stride),
            nn.ReLU(inplace=True),
        ]
        inputs = width
        for group, blocks in enumerate(_BLOCKS[depth]):
            for block in range(blocks):
                outputs = width * 2**group
                layers.append(_Block(inputs, outputs, 2 if group and not block else 1))
                inputs = outputs
        self.features = inputs
        self.maps = nn.Sequential(*layers)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """``(batch, 3, height, width)`` to ``(batch, features)``."""
        return self.maps(images).mean(dim=(2, 3))


def _convolved(inputs: int, outputs: int, side: int, stride: int) -> list[nn.Module]:
    """Convolution and batch normalization."""
    padding = 1 if side == 3 else 0
    convolution = nn.Conv2d(inputs, outputs, side, stride, padding, bias=False)
    nn.init.kaiming_normal_(convolution.weight)
    return [convolution, nn.BatchNorm2d(outputs)]
