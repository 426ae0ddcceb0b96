"""A training step of BYOL built from lightly's modules, as in its documentation.

Run by ``benchmarks.speed.training_step`` with the peers' Python: NAME DEPTH SIZE BATCH. The batch
is already in memory, as floats; augmentation is not part of the step.
"""

import copy
import sys

import lightly
import torch
import torchvision
from lightly.loss import NegativeCosineSimilarity
from lightly.models.modules import BYOLPredictionHead, BYOLProjectionHead
from lightly.models.utils import deactivate_requires_grad, update_momentum

from benchmarks.harness.contestant import serve, steady


class BYOL(torch.nn.Module):
    """Online network, its moving average, and the symmetric loss of two views."""

    def __init__(self, depth: int, hidden: int) -> None:
        super().__init__()
        network = {18: torchvision.models.resnet18, 50: torchvision.models.resnet50}[depth]()
        features = network.fc.in_features
        self.backbone = torch.nn.Sequential(*list(network.children())[:-1])
        self.projection_head = BYOLProjectionHead(features, hidden, 256)
        self.prediction_head = BYOLPredictionHead(256, hidden, 256)
        self.backbone_momentum = copy.deepcopy(self.backbone)
        self.projection_head_momentum = copy.deepcopy(self.projection_head)
        deactivate_requires_grad(self.backbone_momentum)
        deactivate_requires_grad(self.projection_head_momentum)
        self.criterion = NegativeCosineSimilarity()

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """The loss of a batch."""
        predictions, targets = [], []
        for view in (first, second):
            online = self.projection_head(self.backbone(view).flatten(start_dim=1))
            predictions.append(self.prediction_head(online))
            with torch.no_grad():
                target = self.backbone_momentum(view).flatten(start_dim=1)
                targets.append(self.projection_head_momentum(target))
        forth = self.criterion(predictions[0], targets[1])
        return 0.5 * (forth + self.criterion(predictions[1], targets[0]))

    def follow(self, momentum: float) -> None:
        """Updates the moving averages."""
        update_momentum(self.backbone, self.backbone_momentum, momentum)
        update_momentum(self.projection_head, self.projection_head_momentum, momentum)


def main() -> None:
    """Runs as a contestant."""
    name, (depth, size, batch) = sys.argv[1], map(int, sys.argv[2:])
    words = name.split()
    torch.manual_seed(0)
    # The published example has narrower heads; the other contestants use our widths.
    model = BYOL(depth, 1024 if "example" in words else 4096)
    layout = torch.channels_last if "channels_last" in words else torch.contiguous_format
    model = model.to(memory_format=layout).train()
    views = [torch.rand(batch, 3, size, size).to(memory_format=layout) for _ in range(2)]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.06)
    forward = torch.compile(model) if "compiled" in words else model
    in_bfloat16 = "bfloat16" in words

    def step() -> int:
        model.follow(0.99)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=in_bfloat16):
            loss = forward(*views)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
        return batch

    versions = {"torch": torch.__version__.split("+")[0], "lightly": lightly.__version__}
    serve(steady(step, seconds=6.0), **versions, threads=torch.get_num_threads())


if __name__ == "__main__":
    main()
