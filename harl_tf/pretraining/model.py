"""The base class of all pretraining methods: two views in, named loss terms out, one step.

Owns the networks, the training step, the reported metrics and the check of the batch. It defines no
objective: methods subclass ``Pretraining`` and supply the branches. How ``fit`` and ``evaluate``
run the steps is in ``harl_tf.pretraining.fitting``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from harl_tf import distribution, metrics
from harl_tf.layers import mild_color
from harl_tf.precision import dtype_policy
from harl_tf.pretraining import checks, step
from harl_tf.pretraining.augment import two_views
from harl_tf.pretraining.batch import check_batch, check_count, check_range
from harl_tf.pretraining.branch import Branch
from harl_tf.pretraining.branch_output import means
from harl_tf.pretraining.finite import vectors_are_finite
from harl_tf.pretraining.fitting.arguments import refuse_losses
from harl_tf.pretraining.fitting.trainer import Trainer
from harl_tf.pretraining.forward import Forward, View
from harl_tf.pretraining.heads import synchronize_batch_norm
from harl_tf.pretraining.target import follow, target_copy
from harl_tf.schedules import Schedule, value_at


@keras.saving.register_keras_serializable(package="harl_tf")
class Pretraining(Trainer):
    """Base class of the methods: a backbone, its branches, two color augmentations, a step.

    Each branch has heads and a loss on the feature maps of two views; the total loss is the
    weighted sum of the branch losses. If any branch uses a target network, the model keeps a copy
    of the backbone that follows it as a moving average. Calling the model on images calls its
    backbone.

    Args:
        backbone: A model made by ``harl_tf.backbones.feature_pyramid`` or ``resnet``.
        branches: The branches by name; their losses are reported as ``loss_<name>``.
        weights: Weights of the branch losses by name, numbers or schedules. Default: 1 for all.
        momentum: Momentum of the target network, a number in [0, 1] or a schedule. Default: 0.99.
        share_batch_statistics: Whether both views go through the networks as one batch, as in
            SimCLR's release, or one after the other, as in BYOL's and MoCo's. Default: True.
        regions: Number of regions in the masks, the background included. Default: as many as the
            branches distinguish.
        augmentations: The color augmentations of the first and second view. Default:
            ``harl_tf.layers.mild_color`` for both, whatever the method, so that a comparison of
            methods changes only the method. For ImageNet at 224 pixels and hundreds of epochs, use
            the published ones: ``simclr_color``, ``moco_color`` or ``byol_colors``.
        name: Name of the model.

    Raises:
        ValueError: If an argument is not as described above.
    """

    def __init__(
        self,
        backbone: keras.Model,
        branches: Mapping[str, Branch],
        weights: Mapping[str, Schedule] | None = None,
        momentum: Schedule = 0.99,
        share_batch_statistics: bool = True,
        regions: int | None = None,
        augmentations: Sequence[keras.layers.Layer] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if regions is None:
            regions = max(branch.regions for branch in branches.values())
        augmentations = augmentations or (mild_color(), mild_color())
        checks.check_model(backbone, regions, momentum, augmentations)
        checks.check_regions(branches, regions)
        checks.check_weights(branches, weights or {})
        self.backbone = backbone
        self.branches = dict(branches)
        for branch in self.branches.values():
            branch.connect(backbone.output)
            synchronize_batch_norm(branch)
        uses_target = any(branch.uses_target for branch in self.branches.values())
        self.target_backbone = target_copy(backbone) if uses_target else None
        self.branch_weights = dict(weights or {})
        self.momentum, self.regions = momentum, regions
        self.share_batch_statistics = share_batch_statistics
        self.augmentation1, self.augmentation2 = augmentations[0], augmentations[1]
        for augmentation in augmentations:
            # Half precision would round the draws, in [0, 1), to 1 now and then.
            augmentation.autocast = False
        # What the log says of the epoch before a fit that goes on with a run, for its callbacks.
        self.logged_before: dict[str, float] = {}
        self.accumulation_steps = 1
        self.global_clip_norm: float | None = None
        # In float64: what a run that was resumed within an epoch adds up in another order has the
        # same digits in its log.
        names = self.metric_names
        checks.check_metric_names(names)
        self._means = {name: keras.metrics.Mean(name, dtype="float64") for name in names}
        self.built = True

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics of a step: loss terms, metrics of the branches, metrics of the views."""
        names = ["loss"]
        if len(self.branches) > 1:
            names += [f"loss_{name}" for name in self.branches]
        for branch in self.branches.values():
            names += branch.metric_names
        return (*names, "foreground_share", "lost_region_share")

    def compile(
        self,
        optimizer: Any,
        accumulation_steps: int = 1,
        global_clip_norm: float | None = None,
        jit_compile: bool = False,
        **kwargs: Any,
    ) -> None:
        """``keras.Model.compile`` without losses and metrics, which the method defines.

        Args:
            optimizer: A Keras optimizer. Schedules in it count updates of the weights.
            accumulation_steps: Number of parts a batch is split into; their gradients are averaged
                before the update. Saves memory, but negatives and batch statistics are then per
                part, and so are means over only some images: a term that no image of a part counts
                in, such as HARL's foreground, is 0 there. Default: 1.
            global_clip_norm: Largest norm of the gradient of the global batch, over all variables;
                larger gradients are scaled down to it. Default: none.
            jit_compile: Whether XLA compiles the step; one replica only. Worth trying on a GPU; on
                CPUs it is slower than oneDNN (``docs/performance.md``). Default: False.
            **kwargs: Further arguments of ``keras.Model.compile``, such as ``run_eagerly`` and
                ``steps_per_execution``.

        Raises:
            ValueError: If an argument is out of range, losses or metrics are given, the model was
                made outside of the strategy's scope, or the optimizer accumulates gradients by
                itself, or clips them on several replicas.
        """
        refuse_losses(kwargs)
        distribution.check_scope(self.weights, "a model")
        step.check_settings(optimizer, accumulation_steps, global_clip_norm, jit_compile)
        self.accumulation_steps, self.global_clip_norm = accumulation_steps, global_clip_norm
        super().compile(optimizer, jit_compile=jit_compile, **kwargs)

    def loss_terms(self, view1: View, view2: View, training: bool) -> step.Terms:
        """The objective of the method.

        Args:
            view1: First views.
            view2: Second views of the same images.
            training: Whether batch statistics are used and learned.

        Returns:
            A scalar for each of ``metric_names``, each one this replica's share of a mean over the
            global batch; ``"loss"`` is the one to minimize.
        """
        return self.forward_pass(view1, view2, training)[0]

    def forward_pass(
        self, view1: View, view2: View, training: bool
    ) -> tuple[step.Terms, step.Carry]:
        """The loss terms, and what each branch carries to its ``after_step``, by branch name."""
        least = max(branch.least_images for branch in self.branches.values())
        images = check_count(view1.images, least, type(self).__name__)
        view1 = view1._replace(images=images)
        forward = Forward(
            (view1, view2),
            self.backbone,
            self.target_backbone,
            self._step(),
            training,
            self.share_batch_statistics,
        )
        terms: step.Terms = {}
        carry: step.Carry = {}
        total: list[tf.Tensor] = []
        for name, branch in self.branches.items():
            output = branch.loss_terms(forward)
            loss, reported = means(name, output, branch.metric_names, view1.images.shape[0])
            terms |= reported if len(self.branches) == 1 else {f"loss_{name}": loss, **reported}
            carry[name] = dict(output.carry)
            weight = value_at(self.branch_weights.get(name, 1.0), forward.step)
            total.append(tf.cast(weight, loss.dtype) * loss)
        share, masks = distribution.share_of_global_mean, (view1.masks, view2.masks)
        terms["loss"] = tf.add_n(total)
        terms["foreground_share"] = share(metrics.foreground_share(*masks))
        terms["lost_region_share"] = share(metrics.lost_region_share(*masks))
        return terms, carry

    def augment(self, batch: Mapping[str, tf.Tensor]) -> tuple[View, View]:
        """Makes the two views of a batch and augments their colors.

        Args:
            batch: Tensors under ``BATCH_KEYS``, or under ``COLORED_KEYS`` if the colors have
                already been augmented, and under any further keys that the branches need
                (``window1``, ``window2``, ``seed``); other keys are ignored.

        Returns:
            The first and the second view.

        Raises:
            ValueError: If a key is missing, or images or masks are not as documented.
        """
        further = [key for branch in self.branches.values() for key in branch.batch_keys]
        batch = check_batch(batch, further, self.regions)
        return two_views(batch, self.augmentations)

    def train_step(self, batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of the weights; what ``fit`` calls for each batch."""
        variables = self.trainable_variables
        batch = check_range(batch, now=tf.equal(self._step(), 0))
        parts = step.split(batch, self.accumulation_steps)
        terms, gradients, carry = step.merge(
            [step.loss_and_gradients(self, part, variables) for part in parts]
        )
        # A loss-scale optimizer skips updates whose gradients are not finite, as it should.
        scales = isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer)
        if scales:
            gradients = step.skipped_together(gradients)
        if self.global_clip_norm is not None:
            gradients = step.clip(gradients, self.global_clip_norm, self.optimizer)
        momentum = value_at(self.momentum, self._step())
        # The loss comes after the checks of the batch; without it, a refused batch might count.
        with tf.control_dependencies([terms["loss"]]):
            self.optimizer.apply(gradients, variables)
        follow(self.momentum_pairs(), momentum)
        for name, branch in self.branches.items():
            branch.after_step(carry[name])
        finite = vectors_are_finite(self.variables, [] if scales else gradients)
        terms["loss"] = tf.where(finite, terms["loss"], float("nan"))
        return self._report(terms)

    def test_step(self, batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The same terms without an update; what ``evaluate`` calls for each batch."""
        view1, view2 = self.augment(check_range(batch))
        return self._report(self.loss_terms(view1, view2, training=False))

    def momentum_pairs(self) -> list[tuple[keras.Model, keras.Model]]:
        """Pairs of online networks and their targets."""
        pairs = [pair for branch in self.branches.values() for pair in branch.momentum_pairs()]
        if self.target_backbone is not None:
            pairs.append((self.backbone, self.target_backbone))
        return pairs

    def call(self, images: tf.Tensor, training: bool | None = None) -> dict[str, tf.Tensor]:
        """Feature maps of images ``(batch, height, width, 3)``, 0–255."""
        return self.backbone(images, training=training)

    @property
    def augmentations(self) -> tuple[keras.layers.Layer, keras.layers.Layer]:
        """The color augmentations of the first and second view."""
        return self.augmentation1, self.augmentation2

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The running means of the loss terms."""
        return list(self._means.values())

    def _step(self) -> tf.Tensor:
        if getattr(self, "optimizer", None) is None:
            return tf.constant(0, tf.int64)
        return tf.convert_to_tensor(self.optimizer.iterations)

    def _report(self, terms: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        replicas = distribution.replica_count()
        for name, mean in self._means.items():
            mean.update_state(terms[name] * replicas)
        return {name: mean.result() for name, mean in self._means.items()}

    def get_compile_config(self) -> dict[str, Any] | None:
        """What ``compile`` was called with; None if it was not."""
        config = super().get_compile_config()
        return config and {
            **config,
            "accumulation_steps": self.accumulation_steps,
            "global_clip_norm": self.global_clip_norm,
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles as ``get_compile_config`` says."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def get_config(self) -> dict[str, Any]:
        """Configuration from which the model can be rebuilt."""
        serialize = keras.saving.serialize_keras_object
        settings: dict[str, Any] = {
            "backbone": self.backbone,
            "augmentations": list(self.augmentations),
            "share_batch_statistics": self.share_batch_statistics,
            "regions": self.regions,
            **({} if self.target_backbone is None else {"momentum": self.momentum}),
            **self.method_settings(),
        }
        config = {key: serialize(value) for key, value in settings.items()}
        # In which heads are made; Keras scales losses after it.
        return {"name": self.name, "dtype": self.dtype_policy.name, **config}

    def method_settings(self) -> dict[str, Any]:
        """The arguments specific to the method's own constructor.

        Default: in a subclass with a single branch, that branch's arguments; otherwise, and in
        ``Pretraining`` itself, ``branches`` and ``weights``.
        """
        if type(self) is Pretraining or len(self.branches) > 1:
            return {"branches": self.branches, "weights": self.branch_weights}
        (branch,) = self.branches.values()
        return branch.settings()

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "Pretraining":
        """Rebuilds the model from ``get_config()``."""
        restore = keras.saving.deserialize_keras_object
        config = dict(config)
        with dtype_policy(config.pop("dtype", keras.config.dtype_policy().name)):
            return cls(
                **{
                    name: restore(each, custom_objects=custom_objects)
                    for name, each in config.items()
                }
            )
