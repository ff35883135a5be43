"""Folds: the hours that a local clock repeats in autumn, and how far a naive watermark may go before one is over."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

_SPAN = dt.timedelta(days=32)
_STEP = dt.timedelta(hours=12)
_SECOND = dt.timedelta(seconds=1)


class Fold(NamedTuple):
    """A span of local time that occurs twice.

    From `begin` to `end` the clock shows times that it will show again, from `low` on: a row that is written after
    `end` may sort below one that was written before it. A watermark that stays below `low` until `end` passes none
    of them.

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
    """Return the folds of `zone` within a month of `around`, an aware moment, in their order.

    A month, since it is the database's clock that says whether one is under way, and `around` is only the worker's.
    """
    found = []
    at = around.astimezone(dt.UTC).replace(microsecond=0) - _SPAN
    while at < around + _SPAN:
        if _offset(zone, at + _STEP) < _offset(zone, at):
            found.append(_fold(zone, at, at + _STEP))
        at += _STEP
    return found


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
