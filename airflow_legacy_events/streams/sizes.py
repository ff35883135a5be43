"""Sizes in bytes, as people write them and read them."""

from __future__ import annotations

import re
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError

_UNITS = {"b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)


def bytes_of(name: str, size: Any) -> int:
    """Return a size in bytes: a whole number, or a text such as `5 GB`; units as PostgreSQL's, 1 kB is 1024 bytes.

    Args:
        name: of the argument, for the error.
        size: as given.

    Raises:
        ConfigurationError: it is neither, or not above zero.
    """
    found = _SIZE.fullmatch(size) if isinstance(size, str) else None
    unit = None if found is None else _UNITS.get((found[2] or "b").lower())
    if found is not None and unit is not None:
        size = int(float(found[1]) * unit)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ConfigurationError(
            f"{name} must be a number of bytes, or a text such as '5 GB' (B, kB, MB, GB, TB); found {size!r}"
        )
    return size


def shown(size: int) -> str:
    """Return a size for people, such as `1.5 GB`."""
    for unit, factor in (("TB", 2**40), ("GB", 2**30), ("MB", 2**20), ("kB", 2**10)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} bytes"
