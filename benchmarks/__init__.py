"""Where the figures of the documents come from; a command makes each table of ``results``.

The rooms: ``speed`` beside other tools and as sizes grow, ``quality`` of masks and backbones,
``profile`` of where time goes; ``harness`` is what their commands share, and ``peers`` run in an
environment of their own.
"""

import os

# TensorFlow announces itself in every process, and every contestant is one.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
