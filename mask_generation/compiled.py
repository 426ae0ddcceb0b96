"""Functions compiled by numba, kept on disk where there is a place for them.

Owns where compiled code is kept, and that no disk makes a function fail. A copy for the other
package, as neither may import this from the other, is ``harl_tf/data/compiled.py``.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import numba
from numba.core.caching import FunctionCache


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: compiles a function on its first call, and keeps the code for later processes.

    It is kept next to the source, else in the user's folder for caches, else not at all: in a
    read-only container every process compiles again, which takes seconds.

    Args:
        **options: Options of ``numba.njit``, without ``cache``.

    Returns:
        The decorator.

    Example:
        >>> @compiled()
        ... def twice(number):
        ...     return 2 * number
        >>> twice(3)
        6
    """

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(**options)(function)
        with contextlib.suppress(RuntimeError):  # no folder can be written
            dispatcher._cache = _Cache(function)
        return dispatcher

    return decorate


class _Cache(FunctionCache):
    """numba's own, in which a full disk or a damaged file are not the function's failure."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # whatever the remains of a file can raise
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)
