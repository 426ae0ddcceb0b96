"""A recipe's optimizer settings, and the optimizer they give for a batch size and run length.

Owns the conversion of published settings (a rate per batch of 256, a warm-up in epochs, weight
decay inside the gradient) to a Keras optimizer with a schedule in updates.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras

from harl_tf.optimizers import LARS
from harl_tf.schedules import linear_scaling, warmup_cosine


@dataclasses.dataclass(frozen=True)
class Rate:
    """A learning rate with a linear warm-up and a cosine decay to 0.

    Attributes:
        base: The base rate of ``scaling``; with linear scaling, the rate for a batch of 256.
        warmup_epochs: Length of the warm-up; at most half of the run is used. Default: 0, no
            warm-up.
        warmup_share: Its length as a share of the run instead, for runs as long as there is time.
            Default: 0.
        start: Rate at the start of the warm-up, as a fraction of the peak. Default: 0.
        scaling: How the rate scales with the batch size: ``harl_tf.schedules.linear_scaling`` or
            ``sqrt_scaling``. Default: the former.

    Example:
        >>> schedule = Rate(0.3, warmup_epochs=10).schedule(1000, 10, batch_size=4096)
        >>> [round(float(schedule(step)), 4) for step in (0, 100, 1000)]
        [0.0, 4.8, 0.0]
    """

    base: float
    warmup_epochs: float = 0
    warmup_share: float = 0.0
    start: float = 0.0
    scaling: Callable[[float, int], float] = linear_scaling

    def peak(self, batch_size: int) -> float:
        """The highest rate, reached at the end of the warm-up."""
        return self.scaling(self.base, batch_size)

    def schedule(
        self, steps: int, steps_per_epoch: int, batch_size: int
    ) -> keras.optimizers.schedules.LearningRateSchedule:
        """The schedule of a run.

        Args:
            steps: Updates of the whole run.
            steps_per_epoch: Updates per epoch.
            batch_size: Photographs per batch, over all replicas.
        """
        warmup = round(self.warmup_epochs * steps_per_epoch + self.warmup_share * steps)
        warmup = min(warmup, steps // 2)
        peak = self.peak(batch_size)
        return warmup_cosine(peak, steps, warmup, start=self.start * peak)


@dataclasses.dataclass(frozen=True)
class LARSSettings:
    """LARS as a recipe states it; see ``harl_tf.optimizers.LARS`` for the arguments.

    Example:
        >>> settings = LARSSettings(Rate(0.2, warmup_epochs=10), weight_decay=1.5e-6)
        >>> settings(steps=100, steps_per_epoch=1, batch_size=256).weight_decay
        1.5e-06
    """

    rate: Rate
    weight_decay: float
    momentum: float = 0.9
    trust_coefficient: float = 1e-3
    clip_trust: bool = False
    rate_in_momentum: bool = False

    def __call__(
        self, steps: int, steps_per_epoch: int, batch_size: int
    ) -> keras.optimizers.Optimizer:
        """The optimizer of a run; the arguments are those of ``Rate.schedule``."""
        return LARS(
            self.rate.schedule(steps, steps_per_epoch, batch_size),
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            trust_coefficient=self.trust_coefficient,
            clip_trust=self.clip_trust,
            rate_in_momentum=self.rate_in_momentum,
        )


@dataclasses.dataclass(frozen=True)
class SGDSettings:
    """SGD with momentum as stated in papers with PyTorch code.

    In PyTorch, weight decay is part of the gradient and therefore of the momentum, which amplifies
    it by 1 / (1 - momentum). Keras subtracts it from the weights directly. The equivalent decay in
    Keras is therefore ``weight_decay / (1 - momentum)``: 1e-3 for the usual 1e-4 and 0.9.

    Attributes:
        rate: The learning rate.
        weight_decay: As published.
        momentum: Default: 0.9.

    Example:
        >>> settings = SGDSettings(Rate(0.03), weight_decay=1e-4)
        >>> round(settings(steps=100, steps_per_epoch=1, batch_size=256).weight_decay, 6)
        0.001
    """

    rate: Rate
    weight_decay: float
    momentum: float = 0.9

    def __call__(
        self, steps: int, steps_per_epoch: int, batch_size: int
    ) -> keras.optimizers.Optimizer:
        """The optimizer of a run; the arguments are those of ``Rate.schedule``."""
        return keras.optimizers.SGD(
            self.rate.schedule(steps, steps_per_epoch, batch_size),
            momentum=self.momentum,
            weight_decay=self.weight_decay / (1.0 - self.momentum),
        )


@dataclasses.dataclass(frozen=True)
class AdamWSettings:
    """AdamW, whose weight decay spares biases and the scales of normalization layers.

    Attributes:
        rate: The learning rate.
        weight_decay: As in Keras and PyTorch, multiplied by the rate.
        beta_2: Decay of the mean of squared gradients. Default: 0.999.

    Example:
        >>> settings = AdamWSettings(Rate(1e-3, warmup_share=0.1), weight_decay=1e-4)
        >>> settings(steps=100, steps_per_epoch=1, batch_size=256).weight_decay
        0.0001
    """

    rate: Rate
    weight_decay: float
    beta_2: float = 0.999

    def __call__(
        self, steps: int, steps_per_epoch: int, batch_size: int
    ) -> keras.optimizers.Optimizer:
        """The optimizer of a run; the arguments are those of ``Rate.schedule``."""
        optimizer = keras.optimizers.AdamW(
            self.rate.schedule(steps, steps_per_epoch, batch_size),
            weight_decay=self.weight_decay,
            beta_2=self.beta_2,
        )
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        return optimizer


OptimizerSettings = LARSSettings | SGDSettings | AdamWSettings


def settings_of(optimizer: OptimizerSettings) -> dict[str, Any]:
    """The settings of an optimizer by name, in print order.

    Example:
        >>> settings_of(SGDSettings(Rate(0.03), weight_decay=1e-4))["optimizer.base_rate"]
        '0.03, linear scaling'
    """
    rate = optimizer.rate
    scaling = rate.scaling.__name__.replace("_", " ")
    start = f", from {rate.start} of the peak" if rate.start else ""
    found: dict[str, Any] = {
        "optimizer": type(optimizer).__name__.removesuffix("Settings"),
        "optimizer.base_rate": f"{rate.base}, {scaling}",
    }
    if rate.warmup_share:
        found["optimizer.warmup_share"] = f"{rate.warmup_share} of the run{start}"
    else:
        found["optimizer.warmup_epochs"] = f"{rate.warmup_epochs}{start}"
    for field in dataclasses.fields(optimizer):
        if field.name != "rate":
            found[f"optimizer.{field.name}"] = getattr(optimizer, field.name)
    return found
