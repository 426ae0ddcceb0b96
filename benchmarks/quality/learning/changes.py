"""The settings that were tried for the small recipes, one changed at a time.

Owns their names and what they mean; ``benchmarks.quality.learning.variations`` runs them.
"""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import keras

from benchmarks.quality.learning.settings import at_side
from harl_tf.backbones import feature_pyramid
from harl_tf.backbones.batch_norm_layers import batch_normalizations
from harl_tf.data import RandomResizedCrop
from harl_tf.layers import RandomColor, mild_color, moco_color, simclr_color
from harl_tf.recipes import Recipe
from harl_tf.recipes.networks import ResNet, SmallResNet
from harl_tf.recipes.optimizers import AdamWSettings, Rate, SGDSettings
from harl_tf.recipes.over_run import OverRun
from harl_tf.schedules import sqrt_scaling
from harl_tf.zoo import load_backbone
from harl_tf.zoo.maps import with_maps

Change = Callable[[Recipe], Recipe]


def _with(**fields: Any) -> Change:
    return lambda recipe: dataclasses.replace(recipe, **fields)


def _colors(make: Callable[[], RandomColor]) -> Change:
    return _with(colors=lambda: (make(), make()))


def _mild(**changed: float) -> Change:
    mild = mild_color().get_config()
    return _colors(lambda: RandomColor.from_config({**mild, **changed}))


def _crops(least_area: float) -> Change:
    return _with(crops=(RandomResizedCrop(area=(least_area, 1.0)),) * 2)


def _adamw(peak: float, weight_decay: float = 1e-4) -> Change:
    """The rate for a batch of 128."""
    rate = Rate(peak / 128**0.5, warmup_share=0.08, scaling=sqrt_scaling)
    return _with(optimizer=AdamWSettings(rate, weight_decay))


def _sgd(peak: float, weight_decay: float = 1e-4) -> Change:
    return _with(optimizer=SGDSettings(Rate(2 * peak, warmup_share=0.08), weight_decay))


def _views(share: float) -> Change:
    """Views of another size beside the same photographs in probes."""
    return lambda recipe: dataclasses.replace(
        recipe, image_size=round(recipe.probe_size * share / 16) * 16, probe_ratio=1 / share
    )


def _settings(**changed: Any) -> Change:
    return lambda recipe: dataclasses.replace(recipe, settings={**recipe.settings, **changed})


@dataclasses.dataclass(frozen=True)
class Application:
    """A network of ``keras.applications`` with random weights, cut at its feature maps.

    Attributes:
        name: Its name there.
        momentum: Momentum of its batch normalization's statistics. Default: its own.
    """

    name: str
    momentum: float | None = None

    def stride_for(self, image_size: int) -> int:
        """That of its last map."""
        return 32

    def build(self, image_size: int) -> keras.Model:
        """A new backbone."""
        make = getattr(keras.applications, self.name)
        network = make(include_top=False, weights=None, input_shape=(image_size, image_size, 3))
        if self.momentum is not None:
            for layer in batch_normalizations(network):
                layer.momentum = self.momentum
        return feature_pyramid(with_maps(network))

    def __str__(self) -> str:
        return self.name


@dataclasses.dataclass(frozen=True)
class Pretrained:
    """A backbone of ``pretrained/``, weights and all.

    Attributes:
        name: Its name there.
    """

    name: str

    def stride_for(self, image_size: int) -> int:
        """That of its last map."""
        return 16

    def build(self, image_size: int) -> keras.Model:
        """The network with the weights that it has there, in the policy of the run."""
        return load_backbone(pathlib.Path("pretrained", self.name))

    def __str__(self) -> str:
        return self.name


def _application(name: str, momentum: float | None = None) -> Change:
    """With views as large as photographs, which its stride of 32 needs."""
    network = Application(name, momentum)
    return lambda recipe: dataclasses.replace(_views(1.0)(recipe), network=network)


GROUPS: dict[str, dict[str, Change]] = {
    "views": {
        "as it is": _with(),
        "SimCLR's colors": _colors(simclr_color),
        "MoCo's colors": _colors(moco_color),
        "MoCo's colors without blur": _mild(hue=0.1),
        "blur": _mild(blur_probability=0.5),
        "no grayscale": _mild(grayscale_probability=0.0),
        "area from .08": _crops(0.08),
        "area from .35": _crops(0.35),
    },
    "optimizer": {
        "as it is": _with(),
        "AdamW, peak .0015": _adamw(0.0015),
        "AdamW, peak .006": _adamw(0.006),
        "AdamW, weight decay .01": _adamw(0.003, 0.01),
        "SGD, peak .06": _sgd(0.06),
        "SGD, peak .25": _sgd(0.25),
    },
    "batch": {
        "as it is": _with(),
        "batch 64": _with(batch_size=64),
        "batch 256": _with(batch_size=256),
    },
    "size": {
        "as it is": _with(),
        "views as large as photographs": _views(1.0),
        "views half as large": _views(0.5),
    },
    "network": {
        "as it is": _with(),
        "ResNet-10, width 48": _with(network=SmallResNet(10, 48)),
        "ResNet-10, width 64": _with(network=SmallResNet(10, 64)),
        "ResNet-18, width 32": _with(network=SmallResNet(18, 32)),
        "ResNet-10, stem of stride 4": _with(network=SmallResNet(10, 32, large=0)),
        "ResNet-10, width 64, stem of stride 4": _with(network=SmallResNet(10, 64, large=0)),
        "KerasHub's ResNet-18, stride 16": _with(network=ResNet(18, 16)),
        "MobileNetV3-Small": _application("MobileNetV3Small"),
        "EfficientNetV2-B0": _application("EfficientNetV2B0"),
    },
    "statistics": {
        # Its own is .999: after some hundred steps they are still those of the start.
        "MobileNetV3-Small, momentum of the statistics .9": _application("MobileNetV3Small", 0.9),
    },
    "heads": {
        "as it is": _with(),
        "hidden layer of 1024": _settings(hidden_units=1024),
        "temperature .1": _settings(temperature=0.1),
        "temperature .5": _settings(temperature=0.5),
    },
    "start": {
        "as it is": _with(),
        "from hapicl_resnet10_caltech101": _with(network=Pretrained("hapicl_resnet10_caltech101")),
    },
    "momentum": {
        "as it is": _with(),
        "momentum .8": _settings(momentum=OverRun(0.8, 1.0)),
        "momentum .95": _settings(momentum=OverRun(0.95, 1.0)),
        "momentum .97": _settings(momentum=OverRun(0.97, 1.0)),
        "momentum .99": _settings(momentum=OverRun(0.99, 1.0)),
    },
}


def changed(recipe: Recipe, side: int, change: str) -> Recipe:
    """The recipe for photographs probed at a side, with one change.

    Raises:
        KeyError: If there is no such change.

    Example:
        >>> from harl_tf.recipes import RECIPES
        >>> changed(RECIPES["simclr_small"], 64, "batch 64").batch_size
        64
    """
    changes = {name: make for group in GROUPS.values() for name, make in group.items()}
    return changes[change](at_side(recipe, side))
