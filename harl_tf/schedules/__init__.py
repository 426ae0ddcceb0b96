"""Values that change over a run: learning rates, EMA momentum, weights of loss terms.

All are Keras ``LearningRateSchedule``s and count updates of the weights. For step functions, such
as HARL's steps of alpha and beta, use ``keras.optimizers.schedules.PiecewiseConstantDecay``.
"""

from harl_tf.schedules.batch_scaling import linear_scaling as linear_scaling
from harl_tf.schedules.batch_scaling import sqrt_scaling as sqrt_scaling
from harl_tf.schedules.cosine import Cosine as Cosine
from harl_tf.schedules.in_parts import InParts as InParts
from harl_tf.schedules.in_parts import continues as continues
from harl_tf.schedules.in_parts import is_in_parts as is_in_parts
from harl_tf.schedules.value import Schedule as Schedule
from harl_tf.schedules.value import value_at as value_at
from harl_tf.schedules.warmup import warmup_cosine as warmup_cosine
