"""What this processor computes in, and warnings about settings that make training slow on it.

Owns the reading of ``/proc/cpuinfo``; where that gives no information, there are no warnings.
"""

import pathlib
import warnings

from harl_tf import onednn

_CPUINFO = pathlib.Path("/proc/cpuinfo")

_COMPUTES = {
    "bfloat16": {"avx512_bf16", "amx_bf16", "avx_ne_convert"},
    "float16": {"avx512_fp16", "amx_fp16"},
}
"""CPU features that compute in a dtype; any one of them is enough."""


def warn_of_slow_training(dtype: str) -> None:
    """Warns if oneDNN is off because harl_tf was imported too late, or if the dtype is emulated.

    Args:
        dtype: Compute dtype of the networks, such as ``"float32"``.

    Example:
        >>> warn_of_slow_training("float32")
    """
    known = _instructions()
    if known is None:
        return
    if onednn.too_late and not onednn.ON_BY_DEFAULT & known:
        _warn(
            "TensorFlow was imported before harl_tf and left oneDNN off on this processor, "
            "which makes training take about 1.6 times as long. Import harl_tf first, or set "
            f"{onednn.VARIABLE}=1 before Python starts."
        )
    if dtype in _COMPUTES and not _COMPUTES[dtype] & known:
        _warn(
            f"This processor does not compute in {dtype}, so training in it takes many times as "
            'long as in float32. Use the dtype policy "float32" here.'
        )


def computes_in(dtype: str) -> bool:
    """Whether this processor is known to have instructions for a half-precision dtype.

    Args:
        dtype: ``"bfloat16"`` or ``"float16"``.

    Example:
        >>> computes_in("bfloat16") in (True, False)
        True
    """
    return bool(_COMPUTES[dtype] & (_instructions() or set()))


def _warn(sentence: str) -> None:
    # The stack level of the script that calls fit().
    warnings.warn(sentence, stacklevel=4)


def _instructions() -> set[str] | None:
    """The flags of the first x86 processor; None if they are not known."""
    if not _CPUINFO.exists():
        return None
    lines = _CPUINFO.read_text().splitlines()
    flags = next((line for line in lines if line.startswith("flags")), None)
    return None if flags is None else set(flags.split())
