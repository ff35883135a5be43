"""Moves of the positions of a sink by a person: to offsets, or back by a time of messages or a number of offsets."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import ReadPosition
from airflow_legacy_events.core.ports.topic_ends import Partition
from airflow_legacy_events.core.sink.facts import LOWERED, MET
from airflow_legacy_events.core.sink.tables import FACT as OBJECT
from airflow_legacy_events.sources.topic.facts import FIRST, STANDING, TRUNCATED
from airflow_legacy_events.sources.topic.positions import (
    Place,
    check_values,
    milliseconds_of,
    place_of,
    places_of,
    values_of,
)

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_AMOUNT = re.compile(r"(\d{1,9})([smhdw])")
_NUMBER = re.compile(r"\d{1,19}")

OF_THE_POSITIONS = (FIRST, STANDING, TRUNCATED)
"""Facts that describe the old positions."""

JUDGED = (LOWERED, MET, OBJECT)
"""Facts about what was applied, which a rewound stream applies again."""


def set_to(stream: str, old: Watermark, values: Sequence[str], *, whole: bool) -> Watermark:
    """Return a watermark at other positions; partitions that are not named stay where they are.

    Args:
        stream: for errors.
        old: the current watermark.
        values: positions as texts.
        whole: whether they replace all.

    Raises:
        ConfigurationError: one is no position.
    """
    check_values(stream, values)
    named = dict(found for value in values if (found := place_of(value)) is not None)
    places = named if whole else {**_readable(stream, old), **named}
    return Watermark(values_of(places), None, without(old.facts, OF_THE_POSITIONS))


def rewound(stream: str, mark: Watermark | None, to: str | None, by: str | None, now: dt.datetime) -> Watermark:
    """Return a watermark whose positions lie further back; the next run applies what is above them again.

    Args:
        stream: for errors.
        mark: the current watermark.
        to: a time with an offset, or an offset; used only if `by` is None.
        by: a time such as `90s`, `30m`, `2h`, `7d`, `1w` before now, by the timestamps of messages; or a number of
            offsets.
        now: the time.

    Raises:
        ConfigurationError: it can't be moved that way.
    """
    if mark is None or not mark.values:
        raise ConfigurationError(f"stream {stream!r} has no watermark to move back")
    places = places_of(stream, mark.values)
    moved = _by_offsets(places, to, by) or _by_time(places, _moment(to, by, now))
    if moved == places:
        raise ConfigurationError(
            f"that is not backwards: stream {stream!r} is at the positions that `show` prints, and what lies above them"
            " was not applied. To skip messages, use `set`"
        )
    return Watermark(values_of(moved), None, without(mark.facts, (*OF_THE_POSITIONS, *JUDGED)))


def without(facts: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return facts without some."""
    return {name: fact for name, fact in facts.items() if name not in names}


def _readable(stream: str, mark: Watermark) -> dict[Partition, Place]:
    return places_of(stream, mark.values or ())


def _by_offsets(places: Mapping[Partition, Place], to: str | None, by: str | None) -> dict[Partition, Place] | None:
    """Return the places a number of offsets before, or at an offset; None if no number was given."""
    text = to if by is None else by
    if text is None or not _NUMBER.fullmatch(text):
        return None
    number = int(text)
    return {one: _lower(place, number, steps=by is not None) for one, place in places.items()}


def _lower(place: Place, number: int, *, steps: bool) -> Place:
    if place.at is None:
        return place
    offset = max(0, place.at.offset - number) if steps else min(place.at.offset, number)
    return place if offset == place.at.offset else Place(ReadPosition(offset), place.since)


def _by_time(places: Mapping[Partition, Place], moment: int) -> dict[Partition, Place]:
    """Return the places of the first messages at or behind a moment, at most where the stream is now."""
    return {
        one: Place(None if place.at is None else ReadPosition(place.at.offset), _earlier(place.since, moment))
        for one, place in places.items()
    }


def _earlier(since: int | None, moment: int) -> int:
    return moment if since is None else min(since, moment)


def _moment(to: str | None, by: str | None, now: dt.datetime) -> int:
    if by is not None:
        amount = _AMOUNT.fullmatch(by)
        if amount is None:
            raise ConfigurationError(
                f"--by {by!r} was given, but a sink goes back by a time such as 90s, 30m, 2h, 7d or 1w, or by a number"
                " of offsets"
            )
        try:
            found = now - dt.timedelta(seconds=int(amount[1]) * _SECONDS[amount[2]])
        except OverflowError:
            raise ConfigurationError(f"--by {by!r} was given, which leads below every time; use `set`") from None
    else:
        found = _time(str(to))
    return max(0, milliseconds_of(found))


def _time(text: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ConfigurationError(
            f"--to {text!r} was given; a sink takes an offset, or a time with an offset such as"
            " 2026-11-01T00:00:00+00:00"
        )
    return found
