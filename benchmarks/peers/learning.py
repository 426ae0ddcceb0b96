"""SimCLR and BYOL built from lightly's modules, as contestants of the race.

    PEERS_PYTHON -m benchmarks.peers.learning METHOD SETTINGS FOLDER OUT MINUTES SEED

METHOD is simclr or byol. SETTINGS is JSON, the fields of ``Settings``; what it does not give is
lightly's own: its transforms at the data set's size, and the optimizer, temperature and head widths
of its benchmark on Imagenette. The network is that of our recipe in any case, and the course is the
same for all.
"""

import copy
import dataclasses
import gc
import json
import math
import pathlib
import sys
from collections.abc import Iterator

import numpy as np
import torch
from lightly.data import LightlyDataset
from lightly.loss import NegativeCosineSimilarity, NTXentLoss
from lightly.models.modules import BYOLPredictionHead, BYOLProjectionHead, SimCLRProjectionHead
from lightly.models.utils import deactivate_requires_grad, update_momentum
from lightly.transforms import SimCLRTransform
from lightly.transforms.byol_transform import (
    BYOLTransform,
    BYOLView1Transform,
    BYOLView2Transform,
)
from lightly.utils.scheduler import cosine_schedule
from torch import nn

from benchmarks.peers.small_resnet import SmallResNet
from benchmarks.quality.learning.course import Course, steps_in

_MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
_STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        side: Side of the views in pixels.
        network: Depth, width and stride of the stem.
        hidden_units: Width of the heads' hidden layer; 0 for as wide as the features.
        projection_units: Width of the embeddings.
        temperature: Of the contrastive loss.
        momentum: The target's momentum at the start; it rises to 1.
        batch_size: Photographs per batch.
        rate: Learning rate, which decays to 0.
        weight_decay: Weight decay.
        warmup_share: Length of the warm-up as a share of the run.
        views: Arguments of ``SimCLRTransform``; without any, the method's own transform.
        adamw: Whether to use AdamW without decay of biases and scales, instead of SGD.
    """

    side: int
    network: tuple[int, int, int]
    hidden_units: int = 0
    projection_units: int = 128
    temperature: float = 0.5
    momentum: float = 0.99
    batch_size: int = 128
    rate: float = 6e-2 * 128 / 256
    weight_decay: float = 5e-4
    warmup_share: float = 0.0
    views: dict[str, float] = dataclasses.field(default_factory=dict)
    adamw: bool = False


class Model(nn.Module):
    """The networks of SimCLR, or of BYOL, and the loss of a batch."""

    def __init__(self, method: str, settings: Settings) -> None:
        super().__init__()
        self.backbone = SmallResNet(*settings.network)
        width = self.backbone.features
        hidden, units = settings.hidden_units or width, settings.projection_units
        self.predictor: nn.Module | None = None
        if method == "simclr":
            self.projector: nn.Module = SimCLRProjectionHead(width, hidden, units)
            self.contrast = NTXentLoss(settings.temperature)
            return
        self.projector = BYOLProjectionHead(width, hidden, units)
        self.predictor = BYOLPredictionHead(units, hidden, units)
        self.target = copy.deepcopy(nn.Sequential(self.backbone, self.projector))
        deactivate_requires_grad(self.target)
        self.similarity = NegativeCosineSimilarity()

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """The loss."""
        online = [self.projector(self.backbone(view)) for view in (first, second)]
        if self.predictor is None:
            return self.contrast(online[0].float(), online[1].float())
        with torch.no_grad():
            targets = [self.target(view) for view in (second, first)]
        losses = [
            self.similarity(self.predictor(each).float(), target.float())
            for each, target in zip(online, targets, strict=True)
        ]
        return 0.5 * (losses[0] + losses[1])

    def follow(self, momentum: float) -> None:
        """Moves the target, if there is one."""
        if self.predictor is not None:
            update_momentum(self.backbone, self.target[0], momentum)
            update_momentum(self.projector, self.target[1], momentum)


class Training:
    """Steps of a run."""

    def __init__(
        self, method: str, settings: Settings, images: pathlib.Path, seed: int, steps: int
    ) -> None:
        torch.manual_seed(seed)
        self.settings, self.steps, self.step = settings, steps, 0
        self.model = Model(method, settings).to(memory_format=torch.channels_last).train()
        self.optimizer = _optimizer(self.model, settings)
        dataset = LightlyDataset(str(images), transform=_transform(method, settings))
        self.loader = torch.utils.data.DataLoader(
            dataset,
            settings.batch_size,
            shuffle=True,
            drop_last=True,
            num_workers=1,
            persistent_workers=True,
        )
        self.batches = self._batches()

    def _batches(self) -> Iterator[list[torch.Tensor]]:
        while True:
            for views, *_ in self.loader:
                yield [view.to(memory_format=torch.channels_last) for view in views]

    def __call__(self) -> None:
        """One step."""
        share = self.step / self.steps
        warmup = self.settings.warmup_share
        factor = (
            share / warmup
            if share < warmup
            else 0.5 * (1 + math.cos(math.pi * (share - warmup) / (1 - warmup)))
        )
        for group in self.optimizer.param_groups:
            group["lr"] = factor * self.settings.rate
        self.model.follow(cosine_schedule(self.step, self.steps, self.settings.momentum, 1.0))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = self.model(*next(self.batches))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.step += 1

    def embed(self, images: np.ndarray) -> np.ndarray:
        """Mean features of the last map."""
        self.model.eval()
        vectors = []
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            for first in range(0, len(images), 256):
                part = torch.from_numpy(images[first : first + 256]).permute(0, 3, 1, 2) / 255
                part = ((part - _MEAN) / _STD).to(memory_format=torch.channels_last)
                vectors.append(self.model.backbone(part).float().numpy())
        self.model.train()
        return np.concatenate(vectors)


def _optimizer(model: Model, settings: Settings) -> torch.optim.Optimizer:
    trained = [each for each in model.parameters() if each.requires_grad]
    if not settings.adamw:
        return torch.optim.SGD(
            trained, settings.rate, momentum=0.9, weight_decay=settings.weight_decay
        )
    groups = [
        {"params": [each for each in trained if each.ndim > 1]},
        {"params": [each for each in trained if each.ndim == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, settings.rate, weight_decay=settings.weight_decay)


def _transform(method: str, settings: Settings) -> object:
    side = settings.side
    if settings.views:
        return SimCLRTransform(side, **settings.views)
    if method == "byol":
        return BYOLTransform(BYOLView1Transform(side), BYOLView2Transform(side))
    return SimCLRTransform(side)


def main() -> None:
    """Runs once."""
    method, text, folder, out, minutes, seed = sys.argv[1:]
    settings = Settings(**json.loads(text))
    images = pathlib.Path(folder, "images")
    trial = Training(method, settings, images, int(seed), 1000)
    steps = steps_in(float(minutes), trial)
    # Before another loader forks its worker, which would complain of this one's.
    del trial
    gc.collect()
    course = Course(pathlib.Path(folder), pathlib.Path(out), steps)
    training = Training(method, settings, images, int(seed), steps)
    course.start(training.embed)
    for step in range(1, steps + 1):
        training()
        course.after(step, training.embed)


if __name__ == "__main__":
    main()
