"""oneDNN's convolutions for every x86 processor.

Owns one environment variable. TensorFlow is built with oneDNN but leaves it off on processors
without AVX512-VNNI or newer, where its own convolutions take 1.2 to 1.8 times as long
(``docs/performance.md``). TensorFlow reads the variable once, when it is imported, so ``harl_tf``
imports this module first. A value already set in the environment, such as
``TF_ENABLE_ONEDNN_OPTS=0``, takes precedence.
"""

import os
import sys

VARIABLE = "TF_ENABLE_ONEDNN_OPTS"

ON_BY_DEFAULT = {"avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile"}
"""CPU features; with any of them TensorFlow 2.21 turns oneDNN on by default."""

too_late = "tensorflow" in sys.modules and VARIABLE not in os.environ
"""Whether TensorFlow was imported first, with the variable not set."""

os.environ.setdefault(VARIABLE, "1")
