"""Commit times of the binlog, as `HIDDEN` has them."""

from __future__ import annotations

import datetime as dt
import functools

_MILLION = 1_000_000


def time_of(seconds: int, micros: int | None) -> str:
    """Return a time in UTC as text: `2026-11-23 09:15:02+00`, with six more digits where the log has them.

    Args:
        seconds: since 1970.
        micros: since 1970, where the log has them.
    """
    if micros is None:
        return f"{_second(seconds)}+00"
    whole, rest = divmod(micros, _MILLION)
    return f"{_second(whole)}.{rest:06d}+00"


@functools.lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
