"""Backbones as files: the contents of an export and how it is written."""

from harl_tf.export.artifact import ExportError as ExportError
from harl_tf.export.card import Card as Card
from harl_tf.export.legal_names import name_saved_model_weights_legally
from harl_tf.export.writer import export_backbone as export_backbone

name_saved_model_weights_legally()
