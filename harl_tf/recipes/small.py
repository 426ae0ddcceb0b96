"""Recipes for machines without a large accelerator: minutes to a night on a few CPU cores.

They differ only in the method, so that methods can be compared. What all have in common, SimCLR's
head and BYOL's momentum were chosen by what is learned in the same minutes, as
``benchmarks/quality/learning`` shows; none is a published setting.
Their batch and length follow the number of photographs (``Recipe.for_photographs``), their network
and precision the size of the views and the processor.
"""

from collections.abc import Callable, Mapping
from typing import Any

from harl_tf import methods, pretraining
from harl_tf.recipes.networks import SmallResNet
from harl_tf.recipes.optimizers import AdamWSettings, Rate
from harl_tf.recipes.over_run import OverRun, Part
from harl_tf.recipes.recipe import Recipe
from harl_tf.recipes.sources import cited
from harl_tf.recipes.views import MOCO_CROPS, mild_colors
from harl_tf.schedules import sqrt_scaling

_SETTLED = "ours, settled by benchmarks/quality/learning/variations.py"
_DEFAULT = "the method's published default"
_NOT_COMPARED = "ours, not compared with others"
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
        >>> recipe.image_size, recipe.probe_size, recipe.batch_size
        (48, 64, 128)
    """
    return Recipe(
        name=name,
        title=f"{title}, small machine: ResNet-10 of width 32, views of 48 pixels, batch 128",
        method=method,
        settings=settings,
        network=SmallResNet(),
        image_size=48,
        probe_ratio=4 / 3,
        batch_size=128,
        batch_share=0.25,
        epoch_steps=50,
        epochs=40,
        crops=MOCO_CROPS,
        colors=mild_colors,
        # Gives a peak of 0.003 for a batch of 128.
        optimizer=AdamWSettings(
            Rate(2.65e-4, warmup_share=0.08, scaling=sqrt_scaling), weight_decay=1e-4
        ),
        precision="auto",
        sources={
            "method": "ours, for small sets",
            **cited(
                _SETTLED,
                *("backbone", "image_size", "probe_ratio", "batch_size", "crops", "colors"),
                *("optimizer", "optimizer.base_rate", "optimizer.weight_decay"),
            ),
            "batch_share": "ours: at least four steps an epoch",
            "epoch_steps": "ours: so that what follows an epoch takes little of the time",
            "epochs": "ours: 2,000 steps or more, some ten minutes on two cores",
            "optimizer.warmup_share": "ours",
            "optimizer.beta_2": "Keras's default",
            "precision": "ours: the fastest of this machine",
            **sources,
        },
        notes=("Not a published setting.",),
    )


_INSTANCE = {"projection_units": 128, "hidden_units": 512, "temperature": 0.2}
_QUEUE = {**_INSTANCE, "queue_size": 1024}
_BOOTSTRAP = {"projection_units": 128, "hidden_units": 512}
_PIXEL = {"level": (-2, -1), "projection_units": 128, "hidden_units": 256, "temperature": 0.2}
_PIXEL_LINES = ("pixel", *(f"pixel.{name}" for name in _PIXEL))

_WIDTHS = {"projection_units": _SHARED_WIDTH, "hidden_units": _SHARED_WIDTH}
_MOMENTUM = cited(f"{_SETTLED}: for runs with few updates", "momentum")
_BOOTSTRAP_SOURCES = {**_WIDTHS, **_MOMENTUM}
_QUEUE_MOMENTUM = cited(_NOT_COMPARED, "momentum")
_QUEUE_ONLY = {
    "temperature": _DEFAULT,
    "queue_size": "ours: no more keys than a small set has photographs",
}
_QUEUE_SOURCES = {**_WIDTHS, **_QUEUE_MOMENTUM, **_QUEUE_ONLY}

HAPICL_SMALL = small(
    "hapicl_small",
    "HAPiCL with SimCLR's instance branch",
    methods.HAPiCL,
    {
        "instance": Part(methods.InstanceContrast, _INSTANCE),
        "pixel": Part(methods.PixelContrast, _PIXEL),
        "pixel_weight": 1.0,
    },
    {
        **cited(_SETTLED, "instance.hidden_units", "instance.temperature"),
        **cited(_NOT_COMPARED, "instance.projection_units", "pixel_weight", *_PIXEL_LINES),
        "method": "ours, for small sets",
        "instance": "ours, the method that learned most in minutes: SimCLR",
    },
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
        **cited(_NOT_COMPARED, "pixel_weight", *_PIXEL_LINES),
        **_QUEUE_MOMENTUM,
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
        "momentum": OverRun(0.9, 1.0),
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
    {**_BOOTSTRAP, "momentum": OverRun(0.9, 1.0)},
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
    {**_BOOTSTRAP, "distance": 0.7, "sharpness": 2.0, "momentum": OverRun(0.9, 1.0)},
    {**_BOOTSTRAP_SOURCES, **cited(_DEFAULT, "distance", "sharpness")},
)

DETCON_SMALL = small(
    "detcon_small",
    "DetCon-B",
    methods.DetCon,
    {**_BOOTSTRAP, "drawn_regions": 16, "temperature": 0.1, "momentum": OverRun(0.9, 1.0)},
    {**_BOOTSTRAP_SOURCES, **cited(_DEFAULT, "drawn_regions", "temperature")},
)
