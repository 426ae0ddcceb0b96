"""oneDNN's convolutions for every x86 processor.

Owns one environment variable. TensorFlow is built with oneDNN but leaves it off on processors
without AVX512-VNNI or newer, where its own convolutions take 1.6 times as long
(``docs/performance.md``). It reads the variable once, while it is imported, so this module is the
first that ``harl_tf`` imports. ``TF_ENABLE_ONEDNN_OPTS=0`` in the environment has precedence.
"""

import os
import pathlib
import sys
import warnings

_VARIABLE = "TF_ENABLE_ONEDNN_OPTS"
_ON_BY_DEFAULT = {"avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile"}
"""Instructions whose presence makes TensorFlow 2.21 turn it on by itself."""

_CPUINFO = pathlib.Path("/proc/cpuinfo")

too_late = "tensorflow" in sys.modules and _VARIABLE not in os.environ
"""Whether TensorFlow had been imported before anything was said."""

os.environ.setdefault(_VARIABLE, "1")


def warn_if_left_off() -> None:
    """Warns, once, if training here is slow for want of oneDNN."""
    if too_late and not _ON_BY_DEFAULT & _instructions():
        warnings.warn(
            f"TensorFlow was imported before harl_tf and has left oneDNN off on this processor, "
            f"where training then takes about 1.6 times as long. Import harl_tf first, or set "
            f"{_VARIABLE}=1 before Python starts.",
            stacklevel=3,
        )


def _instructions() -> set[str]:
    """What the processor can do; where that is not known, everything."""
    if not _CPUINFO.exists():
        return _ON_BY_DEFAULT
    lines = _CPUINFO.read_text().splitlines()
    flags = next((line for line in lines if line.startswith("flags")), None)
    return _ON_BY_DEFAULT if flags is None else set(flags.split())
