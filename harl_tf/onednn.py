"""oneDNN's convolutions for every x86 processor.

Owns one environment variable. TensorFlow is built with oneDNN but leaves it off on processors
without AVX512-VNNI or newer, where its own convolutions take 1.6 times as long
(``docs/performance.md``). It reads the variable once, while it is imported, so this module is the
first that ``harl_tf`` imports. ``TF_ENABLE_ONEDNN_OPTS=0`` in the environment has precedence.
"""

import os
import sys

VARIABLE = "TF_ENABLE_ONEDNN_OPTS"

ON_BY_DEFAULT = {"avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile"}
"""Instructions whose presence makes TensorFlow 2.21 turn it on by itself."""

too_late = "tensorflow" in sys.modules and VARIABLE not in os.environ
"""Whether TensorFlow had been imported before anything was said."""

os.environ.setdefault(VARIABLE, "1")
