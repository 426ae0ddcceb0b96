"""A checksum within a JSON file, so that no flipped bit passes for another number.

Owns the key ``sha256`` of such files and what it is computed from: their content, whatever the
spaces and the order of keys.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

SEAL = "sha256"


def sealed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with their checksum.

    Example:
        >>> unsealed(sealed({"a": 1}))
        {'a': 1}
    """
    return {**fields, SEAL: _digest(fields)}


def unsealed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields without their checksum, which must be right.

    Raises:
        ValueError: If it is not, or there is none.

    Example:
        >>> unsealed({**sealed({"a": 1}), "a": 2})
        Traceback (most recent call last):
        ValueError: it has changed since it was written
    """
    rest = {name: value for name, value in fields.items() if name != SEAL}
    if fields.get(SEAL) != _digest(rest):
        raise ValueError("it has changed since it was written")
    return rest


def _digest(fields: Mapping[str, Any]) -> str:
    # Through JSON once more, which makes lists of tuples and text of numbers that are keys.
    plain = json.loads(json.dumps(fields))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
