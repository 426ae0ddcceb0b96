"""Two views of the same photographs with torchvision's and lightly's transforms.

Run by ``benchmarks.speed.input_pipeline`` with the peers' Python: NAME FOLDER SIZE. Each uses a
``DataLoader`` with one single-threaded worker process per CPU; the workers decode, transform and
collate batches.
"""

import os
import pathlib
import sys
from typing import Any

import lightly
import torch
import torchvision
from lightly.transforms.byol_transform import (
    BYOLTransform,
    BYOLView1Transform,
    BYOLView2Transform,
)
from PIL import Image
from torchvision import io, tv_tensors
from torchvision.transforms import v2

from benchmarks.harness.contestant import serve, steady

BATCH = 32


def torchvision_view(size: int, blur: float, solarize: float) -> v2.Compose:
    """BYOL's recipe (Grill et al. 2020, table 6) in v2 transforms on bytes."""
    return v2.Compose(
        [
            v2.RandomResizedCrop(size, scale=(0.2, 1.0), antialias=True),
            v2.RandomHorizontalFlip(),
            v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8),
            v2.RandomGrayscale(0.2),
            v2.RandomApply([v2.GaussianBlur(23, (0.1, 2.0))], p=blur),
            v2.RandomSolarize(128, p=solarize),
        ]
    )


class Photographs(torch.utils.data.Dataset):
    """Pairs of views, endlessly."""

    def __init__(self, name: str, folder: str, size: int) -> None:
        self.paths = sorted(pathlib.Path(folder).glob("*.jpg"))
        self.with_masks = name == "torchvision v2"
        self.views = [torchvision_view(size, 1.0, 0.0), torchvision_view(size, 0.1, 0.2)]
        first = BYOLView1Transform(input_size=size, min_scale=0.2)
        self.transform = BYOLTransform(first, BYOLView2Transform(input_size=size, min_scale=0.2))

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, index: int) -> Any:
        path = self.paths[index % len(self.paths)]
        if not self.with_masks:
            return self.transform(Image.open(path).convert("RGB"))
        image = tv_tensors.Image(io.decode_image(io.read_file(str(path))))
        mask = tv_tensors.Mask(io.decode_image(io.read_file(str(path.with_suffix(".png")))))
        return [view(image, mask) for view in self.views]


def main() -> None:
    """Runs as a contestant."""
    name, folder, size = sys.argv[1:]
    torch.set_num_threads(1)
    loader = torch.utils.data.DataLoader(
        Photographs(name, folder, int(size)), batch_size=BATCH, num_workers=os.cpu_count() or 1
    )
    batches = iter(loader)

    def step() -> int:
        next(batches)
        return BATCH

    def drain() -> None:
        for _ in range(loader.prefetch_factor * loader.num_workers):
            next(batches)

    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    serve(steady(step, seconds=4.0), drain, **versions, lightly=lightly.__version__)


if __name__ == "__main__":
    main()
