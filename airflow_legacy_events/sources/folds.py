"""Folds: the hours that a local clock repeats in autumn.

How far a naive watermark may go before one is over, and what a bound inside of one means.
"""

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


def outer(local: dt.datetime, zone: dt.tzinfo, *, high: bool) -> dt.datetime:
    """Return a local time as the bound of a range of naive times, which is moved to its fold's edge inside of one.

    Which rows of a fold were written before or after a moment can't be told by their times, so all of them are meant:
    too much rather than too little. A range that ends where a fold begins for the first time holds nothing of it.

    Args:
        local: naive; its `fold` tells the second occurrence.
        zone: of the clock.
        high: whether it is the excluded end of the range, rather than its included beginning.
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
