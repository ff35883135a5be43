"""Defaults and triggers that give a column the time of the server's clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from airflow_legacy_events.databases.mysql.written import Writing

_DAYS = -1
_CLOCK = re.compile(
    r"\b(?:(?P<utc>utc_timestamp|utc_date)|(?:current_timestamp|now|localtimestamp|localtime|sysdate|current_date"
    r"|curdate))\b\s*(?:\(\s*(?P<digits>\d?)\s*\))?",
    re.IGNORECASE,
)
_OF_DAYS = re.compile(r"(?:utc_date|current_date|curdate)", re.IGNORECASE)
_UPDATES = re.compile(r"on update (?P<clock>.+)", re.IGNORECASE)
_ASSIGNED = r"\bnew\s*\.\s*(?:`{quoted}`|{name}\b)\s*:?=\s*(?P<value>[^;]*)"


class Clock(NamedTuple):
    """What gives a column the server's time.

    Attributes:
        by: in words.
        digits: fractional digits of its seconds; -1: whole days.
        utc: whether its times are in UTC, whatever the session's zone is.
    """

    by: str
    digits: int
    utc: bool


def clocks_of(column: str, facts: Writing) -> list[Clock]:
    """Return everything that gives a column the server's time: its default, its ON UPDATE, and triggers."""
    return list(_found(column, facts))


def _found(column: str, facts: Writing) -> Iterator[Clock]:
    given = facts.columns.get(column)
    if given is not None:
        if found := _CLOCK.fullmatch(_bare(given.default or "")):
            yield _clock("its default", found)
        if (updated := _UPDATES.search(given.extra)) and (found := _CLOCK.match(updated["clock"])):
            yield _clock("its ON UPDATE", found)
    assigned = re.compile(
        _ASSIGNED.format(quoted=re.escape(column.replace("`", "``")), name=re.escape(column)), re.IGNORECASE
    )
    for trigger in facts.triggers:
        if trigger.timing.upper() == "BEFORE" and (value := assigned.search(trigger.statement)):
            found = _CLOCK.search(value["value"])
            if found is not None:
                yield _clock("a trigger", found)


def _bare(text: str) -> str:
    """Return an expression without the parentheses around it."""
    bare = text.strip()
    while bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1].strip()
    return bare


def _clock(by: str, found: re.Match[str]) -> Clock:
    digits = _DAYS if _OF_DAYS.match(found[0]) else int(found["digits"] or 0)
    return Clock(by, digits, utc=found["utc"] is not None)
