"""Recipes for machines without a large accelerator: a few hours on a few CPU cores.

They differ only in the method, so that methods can be compared: all heads have the same width, all
target networks the same momentum, and nothing is tuned for one method. The shared settings are our
own; ``benchmarks/quality/pretrain_caltech101.py`` runs the first recipe.
"""

from collections.abc import Callable, Mapping
from typing import Any

from harl_tf import methods, pretraining
from harl_tf.recipes.optimizers import Rate, SGDSettings
from harl_tf.recipes.over_run import OverRun, Part
from harl_tf.recipes.recipe import Recipe
from harl_tf.recipes.sources import cited
from harl_tf.recipes.views import MOCO_CROPS, moco_colors

_BENCHMARK = "ours, run by benchmarks/quality/pretrain_caltech101.py"
_OURS = "ours, for small sets"
_DEFAULT = "the method's published default"
_SHARED_WIDTH = "ours, the same head width for all methods"


def small(
    name: str,
    title: str,
    method: Callable[..., pretraining.Pretraining],
    settings: Mapping[str, Any],
    sources: Mapping[str, str],
) -> Recipe:
    """Makes a recipe with the settings shared by this file: everything except the method.

    Args:
        name: The recipe's name.
        title: Name of the method.
        method: The method's class.
        settings: Its arguments, as in ``Recipe``.
        sources: Where they come from.

    Example:
        >>> recipe = small("byol_tiny", "BYOL", harl_tf.BYOL, {}, {})
        >>> recipe.depth, recipe.image_size, recipe.batch_size
        (18, 96, 64)
    """
    return Recipe(
        name=name,
        title=f"{title}, small machine: ResNet-18, 96 pixels, batch 64, 40 epochs",
        method=method,
        settings=settings,
        depth=18,
        output_stride=16,
        image_size=96,
        batch_size=64,
        epochs=40,
        crops=MOCO_CROPS,
        colors=moco_colors,
        # Gives a peak of 0.06 for a batch of 64.
        optimizer=SGDSettings(Rate(0.24, warmup_epochs=2), weight_decay=1e-5),
        sources={
            "method": _OURS,
            **cited(
                _BENCHMARK,
                *("backbone", "image_size", "batch_size", "epochs", "crops", "colors"),
                *("optimizer", "optimizer.base_rate", "optimizer.warmup_epochs"),
                "optimizer.momentum",
            ),
            "precision": "ours: float32, which is fast on every processor",
            "optimizer.weight_decay": "ours: 1e-4 outside the momentum",
            **sources,
        },
        notes=("Not a published setting, and not tuned for any one method.",),
    )


_INSTANCE = {"projection_units": 128, "hidden_units": 2048, "temperature": 0.2}
_QUEUE = {**_INSTANCE, "queue_size": 1024}
_BOOTSTRAP = {"projection_units": 256, "hidden_units": 2048}
_PIXEL = {"projection_units": 256, "hidden_units": 2048, "temperature": 0.2}
_PIXEL_LINES = ("pixel", *(f"pixel.{name}" for name in _PIXEL))

_WIDTHS = {"projection_units": _DEFAULT, "hidden_units": _SHARED_WIDTH}
_MOMENTUM = cited("ours, for runs with few updates", "momentum")
_BOOTSTRAP_SOURCES = {**_WIDTHS, **_MOMENTUM}
_QUEUE_ONLY = {
    "temperature": _DEFAULT,
    "queue_size": "ours: no more keys than a small set has photographs",
}
_QUEUE_SOURCES = {**_BOOTSTRAP_SOURCES, **_QUEUE_ONLY}

HAPICL_SMALL = small(
    "hapicl_small",
    "HAPiCL with SimCLR's instance branch",
    methods.HAPiCL,
    {
        "instance": Part(methods.InstanceContrast, _INSTANCE),
        "pixel": Part(methods.PixelContrast, _PIXEL),
        "pixel_weight": 1.0,
    },
    cited(
        _BENCHMARK,
        *("method", "instance", "instance.projection_units", "instance.hidden_units"),
        *("instance.temperature", "pixel_weight", *_PIXEL_LINES),
    ),
)

HAPICL_MOCO_SMALL = small(
    "hapicl_moco_small",
    "HAPiCL with MoCo's instance branch",
    methods.HAPiCL,
    {
        "instance": Part(methods.MomentumContrast, {**_QUEUE, "symmetric": True}),
        "pixel": Part(methods.PixelContrast, _PIXEL),
        "pixel_weight": 1.0,
        "momentum": 0.99,
    },
    {
        "instance": "mocov2plus_MPLCL.py of TranNhiem/HAPiCLR",
        "instance.symmetric": "mocov2plus_MPLCL.py of TranNhiem/HAPiCLR",
        **{f"instance.{name}": source for name, source in (_WIDTHS | _QUEUE_ONLY).items()},
        **cited(_BENCHMARK, "pixel_weight", *_PIXEL_LINES),
        **_MOMENTUM,
    },
)

HARL_SMALL = small(
    "harl_small",
    "HARL, hybrid of whole image, foreground and background",
    methods.HARL,
    {
        "foreground_weight": 0.5,
        "whole_weight": 0.5,
        **_BOOTSTRAP,
        "momentum": OverRun(0.99, 1.0),
    },
    {
        **cited(
            "TensorFlow release of HARL: both weights 0.5", "foreground_weight", "whole_weight"
        ),
        **_BOOTSTRAP_SOURCES,
    },
)

BYOL_SMALL = small(
    "byol_small",
    "BYOL",
    methods.BYOL,
    {**_BOOTSTRAP, "momentum": OverRun(0.99, 1.0)},
    _BOOTSTRAP_SOURCES,
)

SIMCLR_SMALL = small(
    "simclr_small",
    "SimCLR",
    methods.SimCLR,
    _INSTANCE,
    {**_WIDTHS, "temperature": "that of hapicl_small"},
)

MOCO_V2_SMALL = small(
    "moco_v2_small", "MoCo v2", methods.MoCoV2, {**_QUEUE, "momentum": 0.99}, _QUEUE_SOURCES
)

DENSECL_SMALL = small(
    "densecl_small",
    "DenseCL",
    methods.DenseCL,
    {"dense_weight": 0.5, **_QUEUE, "momentum": 0.99},
    {"dense_weight": _DEFAULT, **_QUEUE_SOURCES},
)

SIMSIAM_SMALL = small(
    "simsiam_small",
    "SimSiam",
    methods.SimSiam,
    {"projection_units": 2048, "bottleneck_units": 512},
    cited(_DEFAULT, "projection_units", "bottleneck_units"),
)

PIXPRO_SMALL = small(
    "pixpro_small",
    "PixPro",
    methods.PixPro,
    {**_BOOTSTRAP, "distance": 0.7, "sharpness": 2.0, "momentum": OverRun(0.99, 1.0)},
    {**_BOOTSTRAP_SOURCES, **cited(_DEFAULT, "distance", "sharpness")},
)

DETCON_SMALL = small(
    "detcon_small",
    "DetCon-B",
    methods.DetCon,
    {**_BOOTSTRAP, "drawn_regions": 16, "temperature": 0.1, "momentum": OverRun(0.99, 1.0)},
    {**_BOOTSTRAP_SOURCES, **cited(_DEFAULT, "drawn_regions", "temperature")},
)
