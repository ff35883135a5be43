"""Positions in topics as watermark values: `topic[partition]=offset@epoch`.

The leader epoch is left out where there is none. A person may also write a time with an offset instead of the number:
`topic[partition]=2026-11-01T00:00:00+00:00`, or `topic[partition]=2026-11-01T00:00:00+00:00<1500` for an offset that is
at most 1500. The next run looks up which offset that is.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.ports.reader import ReadPosition
from airflow_legacy_events.core.ports.topic_ends import Partition

FORM = "topic[partition]=offset"
MOST = 2**63 - 1

_SHOWN = 10

_VALUE = re.compile(r"(.+)\[([0-9]{1,10})\]=(.+)", re.DOTALL)
_POSITION = re.compile(r"([0-9]{1,19})(?:@([0-9]{1,10}))?")
_MILLISECOND = dt.timedelta(milliseconds=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Place(NamedTuple):
    """Where a partition continues, as a watermark says it; at least one of both is set.

    Attributes:
        at: position; with `since`, the highest one that is allowed.
        since: moment whose first message is meant, in milliseconds since 1970-01-01 UTC.
    """

    at: ReadPosition | None
    since: int | None = None


def name_of(partition: Partition) -> str:
    """Return how a partition is named in values and messages."""
    return f"{partition.topic}[{partition.number}]"


def names_of(partitions: Iterable[Partition]) -> str:
    """Return several names, in order."""
    return some([name_of(one) for one in sorted(partitions)])


def some(listed: Sequence[str]) -> str:
    """Return the first of several words for a message, and how many more there are."""
    more = len(listed) - _SHOWN
    return ", ".join(listed[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def value_of(partition: Partition, place: Place | ReadPosition) -> str:
    """Return the text of a place."""
    at, since = (place, None) if isinstance(place, ReadPosition) else place
    parts = [] if since is None else [_text_of(since)]
    if at is not None:
        parts.append(f"{at.offset}" if at.epoch is None else f"{at.offset}@{at.epoch}")
    return f"{name_of(partition)}={'<'.join(parts)}"


def values_of(places: Mapping[Partition, Place | ReadPosition]) -> tuple[str, ...]:
    """Return the texts of places, by topic and number."""
    return tuple(value_of(one, places[one]) for one in sorted(places))


def place_of(value: str) -> tuple[Partition, Place] | None:
    """Return the partition and place that a text names; None if it names none."""
    found = _VALUE.fullmatch(value)
    if found is None:
        return None
    moment, _, rest = ("", "", found[3]) if _POSITION.fullmatch(found[3]) else found[3].partition("<")
    at, since = _position_of(rest), _moment_of(moment)
    if (rest and at is None) or (moment and since is None) or (("<" in found[3]) != (bool(moment) and at is not None)):
        return None
    return Partition(found[1], int(found[2])), Place(at, since)


def places_of(stream: str, values: Iterable[str]) -> dict[Partition, Place]:
    """Return the places that the values of a watermark name.

    Args:
        stream: whose watermark it is.
        values: of it; a person may have written them.

    Raises:
        WatermarkError: one names no place, or two name the same partition.
    """
    places: dict[Partition, Place] = {}
    for number, value in enumerate(values, 1):
        found = place_of(value)
        if found is None or found[0] in places:
            fault = "names no position" if found is None else "names a partition that another one names too"
            raise WatermarkError(
                f"value {number} of the watermark of stream {stream!r} {fault}: {value!r}; nothing was read."
                f"\nWrite one {FORM} for each partition: {command('set', stream, 'VALUE...')}"
            )
        places[found[0]] = found[1]
    return places


def check_values(stream: str, values: Iterable[str]) -> None:
    """Check the values that a person gives.

    Raises:
        ConfigurationError: as `places_of`.
    """
    try:
        places_of(stream, values)
    except WatermarkError as error:
        raise ConfigurationError(str(error).replace("; nothing was read", "; nothing was changed")) from None


def milliseconds_of(moment: dt.datetime) -> int:
    """Return a moment as milliseconds since 1970-01-01 UTC, rounded up: no message below it is at or behind it."""
    return -((_EPOCH - moment) // _MILLISECOND)


def _text_of(milliseconds: int) -> str:
    return (_EPOCH + milliseconds * _MILLISECOND).isoformat()


def _position_of(text: str) -> ReadPosition | None:
    found = _POSITION.fullmatch(text)
    if found is None or int(found[1]) > MOST:
        return None
    return ReadPosition(int(found[1]), None if found[2] is None else int(found[2]))


def _moment_of(text: str) -> int | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None or moment < _EPOCH else milliseconds_of(moment)
