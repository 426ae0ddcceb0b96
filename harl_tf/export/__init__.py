"""Backbones as files: the contents of an export and how it is written."""

from harl_tf.export.artifact import ExportError as ExportError
from harl_tf.export.card import Card as Card
from harl_tf.export.writer import export_backbone as export_backbone
