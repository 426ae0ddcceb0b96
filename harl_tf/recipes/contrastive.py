"""SimCLR, MoCo v2 and DenseCL as published, from the authors' own code."""

import dataclasses

from harl_tf import methods
from harl_tf.recipes.optimizers import LARSSettings, Rate, SGDSettings
from harl_tf.recipes.recipe import Recipe
from harl_tf.recipes.sources import HEADS, RATE_IN_MOMENTUM, cited
from harl_tf.recipes.views import MOCO_CROPS, WIDE_CROPS, moco_colors, simclr_colors

_SIMCLR = "README.md of google-research/simclr, the paper's default"

SIMCLR_100 = Recipe(
    name="simclr_100",
    title="SimCLR (Chen et al. 2020), 100 epochs, batch 4096",
    method=methods.SimCLR,
    settings={"projection_units": 128, "hidden_units": 2048, "temperature": 0.1},
    batch_size=4096,
    epochs=100,
    crops=WIDE_CROPS,
    colors=simclr_colors,
    optimizer=LARSSettings(Rate(0.3, warmup_epochs=10), weight_decay=1e-6, rate_in_momentum=True),
    sources={
        **cited(
            _SIMCLR,
            *("method", "temperature", "image_size", "batch_size", "epochs"),
            *("optimizer.base_rate", "optimizer.weight_decay"),
        ),
        **cited(
            "defaults of google-research/simclr (run.py)",
            *("projection_units", "backbone", "optimizer", "optimizer.warmup_epochs"),
            *("optimizer.momentum",),
        ),
        "hidden_units": "model_util.py of google-research/simclr: as wide as the features",
        "crops": "paper, appendix A: area 0.08 to 1, flips",
        "colors": "paper, appendix A, strength 1",
        **cited(
            "lars_optimizer.py of google-research/simclr",
            *("optimizer.trust_coefficient", "optimizer.rate_in_momentum", "optimizer.clip_trust"),
        ),
        "precision": "run.py has no half precision",
    },
    notes=(
        "The release batch-normalizes the projector's output; this recipe does not.",
        "Crops are interpolated bilinearly; the authors use bicubic interpolation.",
        HEADS,
    ),
)

_MOCO = "README.md and main_moco.py of facebookresearch/moco"

MOCO_V2_200 = Recipe(
    name="moco_v2_200",
    title="MoCo v2 (Chen et al. 2020), 200 epochs, batch 256",
    method=methods.MoCoV2,
    settings={
        "projection_units": 128,
        "hidden_units": 2048,
        "temperature": 0.2,
        "queue_size": 65536,
        "symmetric": False,
        "momentum": 0.999,
    },
    batch_size=256,
    epochs=200,
    crops=MOCO_CROPS,
    colors=moco_colors,
    optimizer=SGDSettings(Rate(0.03), weight_decay=1e-4),
    sources={
        **cited(
            _MOCO,
            *("method", "projection_units", "temperature", "queue_size", "momentum", "backbone"),
            *("image_size", "batch_size", "epochs", "crops", "colors", "optimizer"),
            *("optimizer.base_rate", "optimizer.weight_decay", "optimizer.momentum"),
        ),
        **cited("moco/builder.py", "hidden_units", "symmetric"),
        "optimizer.warmup_epochs": "main_moco.py has none",
        "precision": "main_moco.py has no half precision",
    },
    notes=(
        "Batch statistics span all replicas, instead of keys being shuffled between them.",
        "The learning rate decays with every update; the authors' once per epoch.",
        RATE_IN_MOMENTUM,
    ),
)

MOCO_V2_800 = dataclasses.replace(
    MOCO_V2_200,
    name="moco_v2_800",
    title="MoCo v2 (Chen et al. 2020), 800 epochs, batch 256",
    epochs=800,
)

_DENSECL = "configs/selfsup/densecl/densecl_imagenet_200ep.py of WXinlong/DenseCL"

DENSECL_200 = Recipe(
    name="densecl_200",
    title="DenseCL (Wang et al. 2021), 200 epochs, batch 256",
    method=methods.DenseCL,
    settings={
        "dense_weight": 0.5,
        "projection_units": 128,
        "hidden_units": 2048,
        "temperature": 0.2,
        "queue_size": 65536,
        "momentum": 0.999,
    },
    batch_size=256,
    epochs=200,
    crops=MOCO_CROPS,
    colors=moco_colors,
    optimizer=SGDSettings(Rate(0.03), weight_decay=1e-4),
    sources={
        **cited(
            _DENSECL,
            *("method", "dense_weight", "projection_units", "hidden_units", "temperature"),
            *("queue_size", "momentum", "backbone", "image_size", "batch_size", "epochs"),
            *("crops", "colors", "optimizer", "optimizer.base_rate", "optimizer.weight_decay"),
            "optimizer.momentum",
        ),
        "optimizer.warmup_epochs": "the same file has none",
        "precision": "the same file has no half precision",
    },
    notes=(
        "Batch statistics span all replicas, instead of keys being shuffled between them.",
        "The learning rate decays with every update; the authors' once per epoch.",
        RATE_IN_MOMENTUM,
    ),
)
