"""The benchmarks behind the numbers in the documents; a command makes each table in ``results``.

``speed`` compares with other tools and scales sizes, ``quality`` evaluates masks and backbones,
``profile`` shows where time goes; ``harness`` has what these commands share, and ``peers`` runs in
its own environment.
"""

import os

# TensorFlow prints a banner in every process, and every contestant is a process.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
