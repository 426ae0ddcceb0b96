"""Backbones as files: the contents of an export and how it is written."""

from harl_tf.export.artifact import ExportError as ExportError
from harl_tf.export.card import Card as Card
from harl_tf.export.legal_names import name_saved_model_weights_legally
from harl_tf.export.litert import export_litert as export_litert
from harl_tf.export.native import export_keras as export_keras
from harl_tf.export.onnx import export_onnx as export_onnx
from harl_tf.export.preset import export_preset as export_preset
from harl_tf.export.renewal import card_of as card_of
from harl_tf.export.renewal import replace_card as replace_card
from harl_tf.export.writer import export_backbone as export_backbone

name_saved_model_weights_legally()
