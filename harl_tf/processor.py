"""Warnings of settings that make training slow on the processor at hand.

Owns the reading of ``/proc/cpuinfo``; where that says nothing, nothing is said here.
"""

import pathlib
import warnings

from harl_tf import onednn

_CPUINFO = pathlib.Path("/proc/cpuinfo")

_COMPUTES = {
    "bfloat16": {"avx512_bf16", "amx_bf16", "avx_ne_convert"},
    "float16": {"avx512_fp16", "amx_fp16"},
}
"""Instructions any of which a dtype needs."""


def warn_of_slow_training(dtype: str) -> None:
    """Warns if oneDNN is off for want of a word in time, or the dtype is emulated.

    Args:
        dtype: Of the networks' arithmetic, such as ``"float32"``.

    Example:
        >>> warn_of_slow_training("float32")
    """
    known = _instructions()
    if known is None:
        return
    if onednn.too_late and not onednn.ON_BY_DEFAULT & known:
        _warn(
            "TensorFlow was imported before harl_tf and has left oneDNN off on this processor, "
            "where training then takes about 1.6 times as long. Import harl_tf first, or set "
            f"{onednn.VARIABLE}=1 before Python starts."
        )
    if dtype in _COMPUTES and not _COMPUTES[dtype] & known:
        _warn(
            f"This processor does not compute in {dtype}, so training in it takes many times as "
            'long as in float32. Use the dtype policy "float32" here.'
        )


def _warn(sentence: str) -> None:
    # Seen from the script that calls fit().
    warnings.warn(sentence, stacklevel=4)


def _instructions() -> set[str] | None:
    """The flags of the first x86 processor; None where they are not known."""
    if not _CPUINFO.exists():
        return None
    lines = _CPUINFO.read_text().splitlines()
    flags = next((line for line in lines if line.startswith("flags")), None)
    return None if flags is None else set(flags.split())
