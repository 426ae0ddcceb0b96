"""Backbones as files: written after pretraining, read for fine-tuning."""

from harl_tf.export.artifact import ExportError as ExportError
from harl_tf.export.card import Card as Card
from harl_tf.export.export_backbone import export_backbone as export_backbone
from harl_tf.export.load_backbone import load_backbone as load_backbone
