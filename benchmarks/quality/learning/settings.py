"""Our recipe at a data set's size, and what it gives the peers.

Owns how a model is made for a run, and the translation of a recipe to the arguments of lightly's
transforms, heads and PyTorch's optimizers.
"""

import dataclasses
from typing import Any

import keras

from harl_tf.pretraining import Pretraining
from harl_tf.recipes import AdamWSettings, Recipe
from harl_tf.recipes.networks import SmallResNet
from harl_tf.recipes.over_run import OverRun


def at_side(recipe: Recipe, side: int) -> Recipe:
    """The recipe, probed at a data set's side.

    Example:
        >>> from harl_tf.recipes import RECIPES
        >>> recipe = at_side(RECIPES["simclr_small"], 96)
        >>> recipe.image_size, recipe.probe_size
        (48, 96)
    """
    return dataclasses.replace(recipe, probe_ratio=side / recipe.image_size)


def compiled(recipe: Recipe, steps: int, steps_per_epoch: int, seed: int) -> Pretraining:
    """The recipe's model for a run of so many steps, ready to be trained."""
    keras.utils.set_random_seed(seed)
    model = recipe.build_model(steps)
    model.compile(recipe.optimizer(steps, steps_per_epoch, recipe.batch_size))
    return model


def peer_settings(recipe: Recipe, side: int) -> dict[str, dict[str, Any]]:
    """``Settings`` of ``benchmarks.peers.learning``: lightly's own, and those of our recipe.

    Args:
        recipe: SimCLR or BYOL with AdamW on a small ResNet.
        side: Side at which photographs are probed, that of lightly's own views.
    """
    recipe = at_side(recipe, side)
    network, optimizer = recipe.network, recipe.optimizer
    assert isinstance(network, SmallResNet)
    assert isinstance(optimizer, AdamWSettings)
    color, crop = recipe.colors()[0], recipe.crops[0]
    strengths, chances = color.strengths, color.probabilities
    own: dict[str, Any] = {
        "side": side,
        "network": (network.depth, network.width, network.stem_stride_for(side)),
        "batch_size": recipe.batch_size,
        "rate": 6e-2 * recipe.batch_size / 256,
    }
    if "momentum" in recipe.settings:
        own |= {"hidden_units": 4096, "projection_units": 256}
    ours = {
        "side": recipe.image_size,
        "network": (network.depth, network.width, network.stem_stride_for(recipe.image_size)),
        "batch_size": recipe.batch_size,
        "hidden_units": recipe.settings["hidden_units"],
        "projection_units": recipe.settings["projection_units"],
        "rate": optimizer.rate.peak(recipe.batch_size),
        "weight_decay": optimizer.weight_decay,
        "warmup_share": optimizer.rate.warmup_share,
        "adamw": True,
        "views": {
            **{f"cj_{name}": strengths[key] for name, key in _STRENGTHS.items()},
            "cj_prob": chances["jitter_probability"],
            "random_gray_scale": chances["grayscale_probability"],
            "gaussian_blur": chances["blur_probability"],
            "min_scale": crop.area[0],
        },
    }
    for name in ("temperature", "momentum"):
        if name in recipe.settings:
            value = recipe.settings[name]
            ours[name] = value.start if isinstance(value, OverRun) else value
    return {"own": own, "our recipe": ours}


_STRENGTHS = {
    "bright": "brightness",
    "contrast": "contrast",
    "sat": "saturation",
    "hue": "hue",
}
