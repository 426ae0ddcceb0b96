"""Keeps freed memory in the process for the next batch.

Owns one setting of the C library. Batches and activations are large blocks, which glibc returns to
the system when they are freed and requests again a moment later, at the cost of a fault per page.
These faults take a fifth of the time of a stream of views, and a few percent of a training step on
CPUs (``docs/performance.md``).
"""

import ctypes
import functools
import os
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's malloc.h
_LARGEST_MMAP_THRESHOLD = 32 * 2**20


@functools.cache
def keep_freed_memory() -> bool:
    """Makes glibc keep freed memory; does nothing without glibc or if the user has set it.

    The environment variables MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ take precedence.

    Returns:
        Whether anything was changed.

    Example:
        >>> keep_freed_memory() in (True, False)
        True
    """
    ours = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
    if platform.libc_ver()[0] != "glibc" or any(name in os.environ for name in ours):
        return False
    library = ctypes.CDLL(None)
    library.mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
    return bool(library.mallopt(_TRIM_THRESHOLD, 2**31 - 1))
