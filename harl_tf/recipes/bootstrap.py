"""BYOL, SimSiam, PixPro and DetCon-B as published, from the authors' own code."""

import dataclasses

from harl_tf import methods
from harl_tf.layers import byol_colors
from harl_tf.recipes.optimizers import LARSSettings, Rate, SGDSettings
from harl_tf.recipes.over_run import OverRun
from harl_tf.recipes.recipe import Recipe
from harl_tf.recipes.sources import ADDED_BRIGHTNESS, HEADS, RATE_IN_MOMENTUM, cited
from harl_tf.recipes.views import MOCO_CROPS, WIDE_CROPS, moco_colors

_BYOL = "byol/configs/byol.py of deepmind-research"
_BYOL_PAPER = "Grill et al. 2020, implementation details"

BYOL_1000 = Recipe(
    name="byol_1000",
    title="BYOL (Grill et al. 2020), 1000 epochs, batch 4096",
    method=methods.BYOL,
    settings={"projection_units": 256, "hidden_units": 4096, "momentum": OverRun(0.996, 1.0)},
    batch_size=4096,
    epochs=1000,
    crops=WIDE_CROPS,
    colors=byol_colors,
    optimizer=LARSSettings(Rate(0.2, warmup_epochs=10), weight_decay=1.5e-6),
    sources={
        **cited(
            f"{_BYOL}; {_BYOL_PAPER}",
            *("method", "projection_units", "hidden_units", "momentum", "epochs", "optimizer"),
            *("optimizer.base_rate", "optimizer.warmup_epochs", "optimizer.weight_decay"),
        ),
        **cited(_BYOL_PAPER, "batch_size", "backbone"),
        **cited("Grill et al. 2020, appendix on image augmentations", "crops", "image_size"),
        "colors": "Grill et al. 2020, table 6",
        **cited(_BYOL, "optimizer.momentum", "optimizer.trust_coefficient"),
        **cited(
            "byol/utils/optimizers.py of deepmind-research",
            *("optimizer.rate_in_momentum", "optimizer.clip_trust"),
        ),
        "precision": "the released code has no half precision",
    },
    notes=(
        "Crops are interpolated bilinearly; the authors use bicubic interpolation.",
        ADDED_BRIGHTNESS,
        HEADS,
    ),
)

_PRESETS = f"{_BYOL}: _LR_PRESETS, _WD_PRESETS and _EMA_PRESETS"


def _byol_preset(epochs: int, base_rate: float) -> Recipe:
    """The shorter runs differ only in these values."""
    return dataclasses.replace(
        BYOL_1000,
        name=f"byol_{epochs}",
        title=f"BYOL (Grill et al. 2020), {epochs} epochs, batch 4096",
        settings={**BYOL_1000.settings, "momentum": OverRun(0.99, 1.0)},
        epochs=epochs,
        optimizer=LARSSettings(Rate(base_rate, warmup_epochs=10), weight_decay=1e-6),
        sources={
            **BYOL_1000.sources,
            **cited(
                _PRESETS, "momentum", "epochs", "optimizer.base_rate", "optimizer.weight_decay"
            ),
        },
    )


BYOL_300 = _byol_preset(300, 0.3)
BYOL_100 = _byol_preset(100, 0.45)

_SIMSIAM = "main_simsiam.py of facebookresearch/simsiam, the paper's default"

SIMSIAM_100 = Recipe(
    name="simsiam_100",
    title="SimSiam (Chen and He 2021), 100 epochs, batch 512",
    method=methods.SimSiam,
    settings={"projection_units": 2048, "bottleneck_units": 512},
    batch_size=512,
    epochs=100,
    crops=MOCO_CROPS,
    colors=moco_colors,
    optimizer=SGDSettings(Rate(0.05), weight_decay=1e-4),
    sources={
        **cited(
            _SIMSIAM,
            *("method", "projection_units", "bottleneck_units", "backbone", "image_size"),
            *("batch_size", "epochs", "crops", "colors", "optimizer", "optimizer.base_rate"),
            *("optimizer.weight_decay", "optimizer.momentum"),
        ),
        "optimizer.warmup_epochs": "main_simsiam.py has none",
        "precision": "main_simsiam.py has no half precision",
    },
    notes=(
        "The predictor's learning rate decays like all others; the released model kept it constant "
        "(--fix-pred-lr).",
        "The learning rate decays with every update; the authors' once per epoch.",
        HEADS,
        "The scale of each residual branch begins with 1; the authors' with 0.",
        RATE_IN_MOMENTUM,
    ),
)

_PIXPRO = "tools/pixpro_base_r50_100ep.sh of zdaxie/PixPro"

PIXPRO_100 = Recipe(
    name="pixpro_100",
    title="PixPro (Xie et al. 2021), 100 epochs, batch 1024",
    method=methods.PixPro,
    settings={
        "projection_units": 256,
        "hidden_units": 4096,
        "distance": 0.7,
        "sharpness": 2.0,
        "momentum": OverRun(0.99, 1.0),
    },
    batch_size=1024,
    epochs=100,
    crops=WIDE_CROPS,
    colors=byol_colors,
    optimizer=LARSSettings(Rate(1.0, warmup_epochs=5, start=0.01), weight_decay=1e-5),
    precision="mixed_float16",
    sources={
        **cited(
            _PIXPRO,
            *("method", "distance", "sharpness", "backbone", "epochs", "crops", "optimizer"),
            *("optimizer.base_rate", "optimizer.weight_decay"),
        ),
        "batch_size": f"{_PIXPRO}: 128 on each of 8 GPUs",
        "optimizer.warmup_epochs": f"{_PIXPRO}; --warmup-multiplier 100 of contrast/option.py",
        "momentum": f"{_PIXPRO}; contrast/models/PixPro.py",
        "precision": f"{_PIXPRO}: --amp-opt-level O1",
        **cited("contrast/models/PixPro.py", "projection_units", "hidden_units"),
        **cited("contrast/option.py", "image_size", "optimizer.momentum"),
        "colors": f"{_PIXPRO}: --aug BYOL; contrast/data/transform.py",
        **cited(
            "contrast/lars.py, which wraps PyTorch's SGD",
            *("optimizer.trust_coefficient", "optimizer.clip_trust", "optimizer.rate_in_momentum"),
        ),
    },
    notes=(
        "The learning rate decays to 0; the authors' to 1e-6.",
        "Propagated features are averages of the transformed ones as they are; the authors' code "
        "divides each by its length first.",
        HEADS,
    ),
)

PIXPRO_400 = dataclasses.replace(
    PIXPRO_100,
    name="pixpro_400",
    title="PixPro (Xie et al. 2021), 400 epochs, batch 1024",
    epochs=400,
    sources={**PIXPRO_100.sources, "epochs": "tools/pixpro_base_r50_400ep.sh of zdaxie/PixPro"},
)

_DETCON = "detcon_b_config.py of google-deepmind/detcon"

DETCON_B_100 = Recipe(
    name="detcon_b_100",
    title="DetCon-B (Hénaff et al. 2021), 100 epochs, batch 4096",
    method=methods.DetCon,
    settings={
        "regions": 2,
        "drawn_regions": 16,
        "projection_units": 256,
        "hidden_units": 4096,
        "temperature": 0.1,
        "momentum": OverRun(0.996, 1.0),
    },
    batch_size=4096,
    epochs=100,
    crops=WIDE_CROPS,
    colors=byol_colors,
    optimizer=LARSSettings(Rate(0.2, warmup_epochs=1), weight_decay=1.5e-6),
    sources={
        **cited(
            _DETCON,
            *("method", "projection_units", "hidden_units", "temperature", "backbone"),
            *("image_size", "batch_size", "epochs", "optimizer", "optimizer.base_rate"),
            *("optimizer.weight_decay", "optimizer.momentum", "optimizer.trust_coefficient"),
        ),
        "momentum": f"{_DETCON}; utils/schedules.py",
        "regions": "binary masks, as mask_generation makes them; see the notes",
        "drawn_regions": "detcon_b.py: 16 masks per image, drawn with replacement",
        "optimizer.warmup_epochs": f"{_DETCON}: num_epochs // 100; its warmup_epochs=10 is not "
        "used",
        "crops": "utils/tf_image_ops.py: area 0.08 to 1, flips with 0.5",
        "colors": "utils/augmentations.py",
        **cited("utils/optimizers.py", "optimizer.rate_in_momentum", "optimizer.clip_trust"),
        "precision": "the released code has no half precision",
    },
    notes=(
        "The authors' masks have many regions (Felzenszwalb and Huttenlocher's); with two-region "
        "masks, every region is drawn several times.",
        "Crops are interpolated bilinearly; the authors use bicubic interpolation.",
        ADDED_BRIGHTNESS,
        HEADS,
    ),
)
