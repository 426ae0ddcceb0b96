"""The form of a recipe: all settings of a pretraining run, with the source of each.

Owns how a recipe becomes a model, a stream of views and an optimizer. The recipes themselves are in
the files next to this one, one per family; ``harl_tf.recipes.RECIPES`` has all of them by name.
"""

import dataclasses
import math
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras

from harl_tf import layers, pretraining
from harl_tf.data import PairedViews, RandomResizedCrop
from harl_tf.precision import dtype_policy
from harl_tf.recipes.networks import RESNET_50, Network
from harl_tf.recipes.optimizers import OptimizerSettings, settings_of
from harl_tf.recipes.over_run import Part, build_all, flat

_LEAST_BATCH = 8
"""No set makes the batch smaller than this."""

_SMALL_ONLY = ("probe_ratio", "batch_share", "epoch_steps", "passes_per_epoch")
"""Settings that published recipes leave as they are and do not list."""


class Line(NamedTuple):
    """A setting of a recipe, as it is printed.

    Attributes:
        name: Name of the setting.
        value: Its value as text.
        source: Where it was published.
    """

    name: str
    value: str
    source: str


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A pretraining run as plain values.

    Attributes:
        name: Its name on the command line and in ``RECIPES``.
        title: What it is, in one line.
        method: The method's class, such as ``harl_tf.HARL``.
        settings: Its arguments: plain values, ``OverRun`` and ``Part``.
        optimizer: Called with ``(steps, steps_per_epoch, batch_size)``, makes the optimizer with
            its learning rate scaled to that batch size.
        sources: The source of each line, by its name in ``lines``.
        crops: Geometry of the first and the second view.
        colors: Makes the color augmentations of the first and second view.
        batch_size: Photographs per batch, over all replicas.
        epochs: Length of the run.
        network: Makes the backbone. Default: ResNet-50.
        image_size: Side of the views in pixels. Default: 224.
        probe_ratio: Side of whole photographs when features are probed, relative to that of the
            views. Crops show things larger than photographs do, by about 4/3 (Touvron et al. 2019,
            Fixing the Train-Test Resolution Discrepancy). Default: 1.
        precision: Keras dtype policy of the networks, or ``"auto"``: ``mixed_bfloat16`` on a
            processor that computes in it, ``float32`` elsewhere. Default: float32.
        batch_share: Largest share of the photographs in a batch; ``for_photographs`` halves the
            batch until it is kept. Default: None, no halving.
        epoch_steps: Least number of steps of an epoch; ``for_photographs`` passes over the
            photographs more often until it is reached. Default: 0, one pass.
        passes_per_epoch: How often an epoch passes over the photographs. Default: 1.
        notes: Differences from the source.

    Example:
        >>> recipe = harl_tf.recipes.RECIPES["hapicl_small"]
        >>> recipe = dataclasses.replace(recipe, batch_size=32)
        >>> model = recipe.build_model(steps=100)
        >>> model.compile(recipe.optimizer(100, steps_per_epoch=10, batch_size=recipe.batch_size))
    """

    name: str
    title: str
    method: Callable[..., pretraining.Pretraining]
    settings: Mapping[str, Any]
    optimizer: OptimizerSettings
    sources: Mapping[str, str]
    crops: tuple[RandomResizedCrop, RandomResizedCrop]
    colors: Callable[[], tuple[layers.RandomColor, layers.RandomColor]]
    batch_size: int
    epochs: int
    network: Network = RESNET_50
    image_size: int = 224
    probe_ratio: float = 1.0
    precision: str = "float32"
    batch_share: float | None = None
    epoch_steps: int = 0
    passes_per_epoch: int = 1
    notes: tuple[str, ...] = ()

    @property
    def probe_size(self) -> int:
        """Side of whole photographs when features are probed, in pixels."""
        return round(self.image_size * self.probe_ratio)

    def for_photographs(self, count: int) -> "Recipe":
        """The recipe for a set of a given size, whose epochs may pass over it several times.

        Args:
            count: Number of photographs.

        Returns:
            A recipe whose batch is at most ``batch_share`` of them, but at least 8, and whose
            epochs have at least ``epoch_steps`` steps; its queues hold at most half as many keys as
            there are photographs, or an image's own keys would be among its negatives. Without
            these two, as in all published recipes, the recipe as it is.

        Example:
            A quarter of 376 photographs are 94, so the batch is 64; 5 steps a pass make 50 steps
            an epoch.

            >>> recipe = harl_tf.recipes.RECIPES["byol_small"].for_photographs(376)
            >>> recipe.batch_size, recipe.passes_per_epoch
            (64, 10)
        """
        batch = self.batch_size
        most = batch if self.batch_share is None else self.batch_share * count
        while batch > max(most, _LEAST_BATCH) and batch % 2 == 0:
            batch //= 2
        steps_per_pass = max(count // batch, 1)
        passes = max(self.passes_per_epoch, math.ceil(self.epoch_steps / steps_per_pass))
        settings = self.settings
        if self.batch_share is not None or self.epoch_steps:
            settings = _with_queues(settings, max(count // 2 // batch, 1) * batch)
        return dataclasses.replace(
            self, batch_size=batch, passes_per_epoch=passes, settings=settings
        )

    def build_model(
        self, steps: int, backbone: keras.Model | None = None
    ) -> pretraining.Pretraining:
        """Makes the model, in the recipe's precision whatever the global dtype policy is.

        Args:
            steps: Updates of the whole run, for schedules.
            backbone: A backbone to use instead of the recipe's, as made by
                ``harl_tf.backbones.feature_pyramid``. Default: the recipe's network.

        Returns:
            The model, not yet compiled. Call this inside the strategy's scope, if there is one.

        Raises:
            ValueError: If ``steps`` is less than 1, or a setting is out of range.
        """
        with dtype_policy(self.precision):
            backbone = backbone or self.network.build(self.image_size)
            settings = build_all(self.settings, steps)
            return self.method(backbone, **settings, augmentations=self.colors())

    def views(self, folder: str | pathlib.Path, seed: int = 0) -> PairedViews:
        """The stream of views that the model is trained on.

        Args:
            folder: Folder of records, as ``mask_generation.convert`` writes it.
            seed: Another seed gives other views in another order. Default: 0.

        Raises:
            RecordsError: If the folder is incomplete, or has fewer records than a batch.
        """
        return PairedViews(
            folder,
            batch_size=self.batch_size,
            image_size=self.image_size,
            seed=seed,
            crop1=self.crops[0],
            crop2=self.crops[1],
            passes_per_epoch=self.passes_per_epoch,
        )

    def lines(self) -> list[Line]:
        """Every setting as text, with its source.

        Example:
            >>> recipe = harl_tf.recipes.RECIPES["moco_v2_200"]
            >>> next(line for line in recipe.lines() if line.name == "queue_size")
            Line(name='queue_size', value='65536', source='README.md and main_moco.py of ...')
        """
        values: dict[str, Any] = {"method": self.method.__name__, **flat(self.settings)}
        values["backbone"] = self.network
        values |= {name: getattr(self, name) for name in ("image_size", "batch_size", "epochs")}
        usual = {field.name: field.default for field in dataclasses.fields(self)}
        extras = {name: getattr(self, name) for name in _SMALL_ONLY}
        values |= {name: value for name, value in extras.items() if value != usual[name]}
        values["crops"] = _each(self.crops, _crop_in_words)
        values["colors"] = _each(self.colors(), _color_in_words)
        values |= settings_of(self.optimizer)
        values["precision"] = self.precision
        return [
            Line(name, str(value), self.sources.get(name, "not stated"))
            for name, value in values.items()
        ]


def _with_queues(settings: Mapping[str, Any], most: int) -> dict[str, Any]:
    """The settings with queues of at most so many keys, those of branches included."""
    return {
        name: Part(value.make, _with_queues(value.settings, most))
        if isinstance(value, Part)
        else min(value, most)
        if name == "queue_size"
        else value
        for name, value in settings.items()
    }


def _each(pair: tuple[Any, Any], in_words: Callable[[Any], str]) -> str:
    first, second = (in_words(each) for each in pair)
    return f"both: {first}" if first == second else f"first: {first}; second: {second}"


def _crop_in_words(crop: RandomResizedCrop) -> str:
    low, high = (f"{ratio:.3g}" for ratio in crop.aspect_ratio)
    least = crop.minimum_foreground
    return (
        f"area {crop.area[0]} to {crop.area[1]}, ratio {low} to {high}, "
        f"mirrored {crop.flip_probability}"
        + (f", redrawn up to {crop.windows} times until {least:.0%} is foreground" if least else "")
    )


def _color_in_words(color: layers.RandomColor) -> str:
    strengths = "/".join(str(strength) for strength in color.strengths.values())
    chances = color.probabilities
    return (
        f"jitter {strengths} with {chances['jitter_probability']}, "
        f"gray {chances['grayscale_probability']}, blur {chances['blur_probability']}, "
        f"solarized {chances['solarize_probability']}"
    )
