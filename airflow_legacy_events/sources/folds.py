"""Folds: the hours that a local clock repeats when daylight saving time ends.

Limits a naive watermark until a fold is over, and defines the meaning of a bound inside a fold.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

_SPAN = dt.timedelta(days=32)
_STEP = dt.timedelta(hours=12)
_SECOND = dt.timedelta(seconds=1)


class Fold(NamedTuple):
    """A span of local time that occurs twice.

    From `begin` to `end` the clock shows times, from `low` on, that it will show again. A row written after `end` may
    therefore sort below one written before it. A watermark that stays below `low` until `end` skips none of them.

    Attributes:
        begin: when the first occurrence begins, naive in UTC.
        end: when the clock is set back, naive in UTC.
        low: the local time to which it is set back.
        high: the local time at which it is set back.
    """

    begin: dt.datetime
    end: dt.datetime
    low: dt.datetime
    high: dt.datetime


def folds(zone: dt.tzinfo, around: dt.datetime) -> list[Fold]:
    """Return the folds of `zone` within a month of `around`, an aware moment, in order.

    The month is a margin: the database's clock decides whether a fold is in progress, and `around` is the worker's.
    """
    found = []
    at = around.astimezone(dt.UTC).replace(microsecond=0) - _SPAN
    while at < around + _SPAN:
        if _offset(zone, at + _STEP) < _offset(zone, at):
            found.append(_fold(zone, at, at + _STEP))
        at += _STEP
    return found


def outer(local: dt.datetime, zone: dt.tzinfo, *, high: bool) -> dt.datetime:
    """Return a local time as the bound of a range of naive times; inside a fold it is moved to the fold's edge.

    The times of a fold's rows don't show which were written before or after a moment. The range therefore includes all
    of them: too many rather than too few. A range that ends where a fold first begins includes none of them.

    Args:
        local: naive; its `fold` marks the second occurrence.
        zone: of the clock.
        high: whether it is the exclusive end of the range rather than its inclusive beginning.
    """
    early, late = (local.replace(tzinfo=zone, fold=at).utcoffset() or dt.timedelta(0) for at in (0, 1))
    if not late < early:
        return local
    around = local.replace(tzinfo=zone, fold=0)
    fold = next((one for one in folds(zone, around) if one.low <= local < one.high), None)
    if fold is None or (high and local == fold.low and not local.fold):
        return local
    return fold.high if high else fold.low


def _fold(zone: dt.tzinfo, before: dt.datetime, after: dt.datetime) -> Fold:
    early, late = _offset(zone, before), _offset(zone, after)
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        before, after = (before, middle) if _offset(zone, middle) != early else (middle, after)
    end = after.replace(tzinfo=None)
    return Fold(end - (early - late), end, end + late, end + early)


def _offset(zone: dt.tzinfo, at: dt.datetime) -> dt.timedelta:
    return at.astimezone(zone).utcoffset() or dt.timedelta(0)
