"""A probe without labels during pretraining: how many dimensions do the features use?"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harl_tf.callbacks.probe import Probe, check_rereadable
from harl_tf.data import PairedViews
from harl_tf.evaluation import Embedder, check_images, effective_rank


class RankProbe(Probe):
    """Adds ``effective_rank``, of the backbone's pooled features, to the logs of an epoch.

    It needs no labels and falls when the features collapse to fewer dimensions, which the spread
    and the loss may hide. Unless ``fit`` is silent, a line after each probe says ``epoch 5:
    effective rank 31.4 of at most 512``. The probe only reads the backbone.

    Args:
        images: Batches of images, of ``(images, labels)``, or dicts with ``view1``; or the
            ``PairedViews`` that are trained on, of which the first views of epoch 0 are taken. They
            should be the same at every probe.
        every: Probe every this many epochs; the first and last epochs are always probed. Default:
            1.
        limit: Largest number of images; should exceed the number of channels. Default: 4096.

    Raises:
        ValueError: If ``every`` or ``limit`` is not positive; when training begins, if the batches
            are not as described.

    Example:
        ::

            views = harl_tf.data.PairedViews("records", batch_size=64, image_size=96)
            probe = harl_tf.callbacks.RankProbe(views, every=5)
            model.fit(views, epochs=100, callbacks=[probe])
    """

    names = ("effective_rank",)

    def __init__(
        self, images: Iterable[Any] | PairedViews, every: int = 1, limit: int = 4096
    ) -> None:
        super().__init__(every)
        if limit < 1:
            raise ValueError(f"Expected limit ≥ 1. Received: limit={limit}.")
        self.images, self.limit = images, limit
        self._embed: Embedder | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Discards the state of an earlier fit, possibly of another model, and checks the data."""
        super().on_train_begin(logs)
        self._embed = None
        batches = self._batches()
        check_rereadable("images", batches)
        for batch in batches:
            check_images(_images(batch))
            return
        raise ValueError("Expected at least one batch of images. Received: none.")

    def measure(self) -> tuple[dict[str, float], str]:
        """The effective rank, and the largest that it could be."""
        if self._embed is None:
            self._embed = Embedder(self.model.backbone)
        vectors = self._embed.vectors(self._first_images())
        rank = effective_rank(vectors)
        return {
            "effective_rank": rank
        }, f"effective rank {rank:.1f} of at most {min(vectors.shape)}"

    def _batches(self) -> Iterable[Any]:
        if not isinstance(self.images, PairedViews):
            return self.images
        # One pass: the next ones would bring the same photographs again.
        return self.images.from_epoch(0).take(
            self.images.steps_per_epoch // self.images.passes_per_epoch
        )

    def _first_images(self) -> Iterator[Any]:
        """Images batch by batch, no more than ``limit``; the source may be endless."""
        left = self.limit
        for batch in self._batches():
            images = _images(batch)[:left]
            yield images
            left -= len(images)
            if left <= 0:
                return


def _images(batch: Any) -> Any:
    """The images of a batch, whichever of the three kinds it is."""
    if isinstance(batch, Mapping):
        if "view1" not in batch:
            raise ValueError(
                "Expected batches of images, of (images, labels), or dicts with 'view1'. "
                f"Received: a dict of {sorted(batch)}."
            )
        return batch["view1"]
    return batch[0] if isinstance(batch, tuple | list) else batch
