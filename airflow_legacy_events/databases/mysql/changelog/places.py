"""Places of the binlog, written `file:position`, such as `binlog.000012:4711`."""

from __future__ import annotations

import re

from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace

_PLACE = re.compile(r"(.+\.([0-9]+)):([0-9]+)", re.ASCII)
_FILE = re.compile(r".+\.([0-9]+)", re.ASCII)

FIRST_EVENT = 4
"""Position of the first event of a file, behind its magic number."""


def text_of(place: BinlogPlace) -> str:
    """Return a place as text."""
    return f"{place.file}:{place.position}"


def place_in(text: str) -> BinlogPlace:
    """Return the place that a text names.

    Raises:
        ValueError: it names none.
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no place in a binlog, such as binlog.000012:4711")
    return BinlogPlace(found[1], int(found[3]))


def number_of(file: str) -> int:
    """Return the number of a file: the server counts on behind 999999, so names can't be compared as texts.

    Raises:
        ValueError: it has none.
    """
    found = _FILE.fullmatch(file)
    if found is None:
        raise ValueError(f"{file!r} is no file of a binlog, such as binlog.000012")
    return int(found[1])


def order(place: BinlogPlace) -> tuple[int, int]:
    """Return what places of one server are ordered by."""
    return number_of(place.file), place.position


def compare(one: str, other: str) -> int:
    """Return a number below 0, 0 or above 0 if `one` lies before, at or behind `other`.

    Raises:
        ValueError: one of them is no place.
    """
    left, right = order(place_in(one)), order(place_in(other))
    return (left > right) - (left < right)
