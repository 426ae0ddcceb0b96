"""HARL as its authors ran it on ImageNet, for 100, 300 and 1000 epochs.

The settings come from two repositories of the authors: "PyTorch" is
TranNhiem/Heuristic_Attention_Represenation_Learning_SSL_Pytorch (scripts at commit dde984e, README
at 2d850f9), "HAPiCLR" is TranNhiem/HAPiCLR (commit 083a683). The paper is Tran et al., Sensors
2022, 22(14):5169; its tables were not available to us. If a run's own setting is not published, the
source says which other run it was taken from.
"""

import dataclasses

from harl_tf import methods
from harl_tf.layers import byol_colors
from harl_tf.recipes.optimizers import LARSSettings, Rate
from harl_tf.recipes.over_run import OverRun
from harl_tf.recipes.recipe import Recipe
from harl_tf.recipes.sources import cited
from harl_tf.recipes.views import FOREGROUND_CROPS

_MNCL = "MNCL.sh (PyTorch), 100 epochs"
_ELSEWHERE = "as MNCL.sh (PyTorch), 100 epochs; not confirmed for this run"

_NOTES = (
    "No vertical flips: the authors' code flips half of the views upside down.",
    "The batch does not grow: the authors' training script accumulates two batches per update "
    "after 30 % of the epochs and three after 70 %, at an unchanged learning rate.",
    "Regions are averaged over their area; the authors divide by the area plus one cell.",
    "The learning rate and β change with every update, the authors' once per epoch; the warm-up "
    "starts at 0 instead of 3e-5.",
    "The authors' masks come from a trained saliency network; those of mask_generation do not.",
)

HARL_100 = Recipe(
    name="harl_100",
    title="HARL, foreground hybrid, 100 epochs (62.0 % linear, as published)",
    method=methods.HARL,
    settings={
        "foreground_weight": 1.0,
        "whole_weight": OverRun(0.6, 0.0),
        "projection_units": 512,
        "hidden_units": 4096,
        "momentum": OverRun(0.99, 1.0),
    },
    batch_size=4096,
    epochs=100,
    crops=FOREGROUND_CROPS[20],
    colors=byol_colors,
    optimizer=LARSSettings(Rate(0.2, warmup_epochs=10), weight_decay=1e-6),
    precision="mixed_float16",
    sources={
        **cited(
            f"{_MNCL}: --loss_type byol+f_loss, whole image and foreground",
            *("method", "foreground_weight"),
        ),
        "whole_weight": "main_pretrain.py:182 (PyTorch) starts β at 0.6, value_scheduler.py:160",
        **cited("README (PyTorch), row of 62.0 %", "projection_units", "optimizer.base_rate"),
        "epochs": "README (PyTorch), row of 62.0 %; MNCL.sh (PyTorch)",
        "batch_size": f"{_MNCL}: 512 on each of 8 GPUs",
        "crops": "MNCL.sh (PyTorch): at least 20 % foreground; solo-learn's area and flips",
        "colors": f"{_MNCL}: jitter 0.4/0.4/0.2/0.1, blur 1.0 and 0.1, solarized 0.0 and 0.2",
        "optimizer.warmup_epochs": "default of solo-learn (methods/base.py), unchanged by MNCL.sh",
        "optimizer.momentum": "solo-learn (args/utils.py)",
        "optimizer.rate_in_momentum": "lars.py (PyTorch) wraps PyTorch's SGD",
        **cited(
            _MNCL,
            *("hidden_units", "momentum", "backbone", "optimizer", "optimizer.weight_decay"),
            *("optimizer.trust_coefficient", "optimizer.clip_trust", "precision"),
        ),
        "image_size": "default of solo-learn, 224",
    },
    notes=(
        "MNCL.sh itself uses a rate of 0.5 and 256 units; the released row uses 0.2 and 512.",
        *_NOTES,
    ),
)

HARL_300 = dataclasses.replace(
    HARL_100,
    name="harl_300",
    title="HARL, foreground hybrid, 300 epochs (71.4 % linear, as published)",
    settings={
        **HARL_100.settings,
        "whole_weight": OverRun(0.7, 0.0, floor=0.3),
        "hidden_units": 2048,
    },
    epochs=300,
    crops=FOREGROUND_CROPS[30],
    optimizer=LARSSettings(Rate(0.5, warmup_epochs=10), weight_decay=1e-6),
    sources={
        **HARL_100.sources,
        "whole_weight": "MNCL.sh (HAPiCLR), 300 epochs: --beta cosine_schedule_0.7; "
        "floor of mncrl.py:311",
        "hidden_units": "MNCL.sh (HAPiCLR), 300 epochs; not confirmed for the released run",
        "crops": "MNCL.sh (HAPiCLR), 300 epochs: crops of at least 30 % foreground",
        **cited(
            "README (PyTorch), row of 71.4 %", "projection_units", "epochs", "optimizer.base_rate"
        ),
    },
    notes=("MNCL.sh (HAPiCLR) uses a rate of 0.3 and DRFI masks.", *_NOTES),
)

_DETECTION = "name of the model in coco_R_50_C4_MNCRL_test1.yaml (HAPiCLR)"

HARL_1000 = dataclasses.replace(
    HARL_100,
    name="harl_1000",
    title="HARL, foreground hybrid, 1000 epochs (73.8 % linear; the authors' detection model)",
    settings={
        **HARL_100.settings,
        "whole_weight": OverRun(0.9, 0.0, floor=0.3),
        "projection_units": 256,
    },
    epochs=1000,
    crops=FOREGROUND_CROPS[30],
    optimizer=LARSSettings(Rate(0.3, warmup_epochs=10), weight_decay=1e-6),
    sources={
        **dict.fromkeys(HARL_100.sources, _ELSEWHERE),
        **cited(f"{_DETECTION}: byol+loss_f", "method", "foreground_weight"),
        "whole_weight": f"{_DETECTION}: beta_cosine_V2_0.9; floor of mncrl.py:311",
        "projection_units": "README (PyTorch), row of 73.8 %",
        "optimizer.base_rate": f"{_DETECTION}: lr0.3; README (PyTorch), row of 73.8 %",
        "epochs": f"{_DETECTION}: 1000ep",
        "crops": f"{_DETECTION}: mask-cropping0.3",
        "backbone": f"{_DETECTION}: resnet50",
    },
    notes=(
        "The best released row, 74.0 %, uses a rate of 0.2 and 512 units; its β is not published.",
        *_NOTES,
    ),
)
