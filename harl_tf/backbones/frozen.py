"""Batch normalization that stays frozen, whatever is trained around it.

Owns the layer that ``harl_tf.load_backbone(train_batch_norm=False)`` puts into a network. Setting
``trainable`` on a Keras model sets it on every layer inside, so the two stages of fine-tuning
(``backbone.trainable = False``, later ``True``) would thaw a layer that was frozen by its flag.
"""

from typing import Any

import keras

from harl_tf.layers import FusedBatchNormalization


@keras.saving.register_keras_serializable(package="harl_tf")
class FrozenBatchNormalization(FusedBatchNormalization):
    """``FusedBatchNormalization`` whose statistics, scales and offsets never change.

    It normalizes with its moving statistics in training too. ``trainable`` is always False: setting
    it, here or on a model around the layer, has no effect. Copies and saved models stay frozen. In
    plain Keras there is no such layer; to open a saved model without harl_tf, convert it first,
    ``harl_tf.backbones.rebuild(model, keras.layers.BatchNormalization)``, whose layers are frozen
    by their flag until ``trainable = True`` is set on a model around them.

    Args:
        **kwargs: Arguments of ``FusedBatchNormalization``.

    Example:
        >>> model = keras.Sequential([keras.Input((4,)), FrozenBatchNormalization()])
        >>> model.trainable = True
        >>> model.trainable_variables, model.layers[0].trainable
        ([], False)
    """

    def build(self, input_shape: Any) -> None:
        """Makes the weights, none of them trainable."""
        super().build(input_shape)
        # A model counts its trainable variables by their own flags, not by those of its layers.
        for variable in self.variables:
            variable.trainable = False

    @property
    def trainable(self) -> bool:
        """Always False."""
        return False

    @trainable.setter
    def trainable(self, value: bool) -> None:
        """Does nothing; Keras calls this when ``trainable`` is set on a model around the layer."""
