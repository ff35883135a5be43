"""Horizon kept with a watermark: a mark, and the open transactions that may still commit below it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from airflow_legacy_events.core.facts import are_texts, is_text
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.sources.place import Values

FACT = "horizon"

Mark: TypeAlias = dt.datetime | Values
"""Exclusive moment in UTC for a time column, else an inclusive position."""


class Waiting(NamedTuple):
    """Mark below which some transactions may still commit.

    Attributes:
        mark: no other transaction may commit there.
        open: ids of the transactions; see `core.ports.WritersLook`.
        server: of the look that found them.
        since: the database's time of that look, in UTC.
    """

    mark: Mark
    open: tuple[str, ...]
    server: Mapping[str, Any]
    since: dt.datetime


class KeptHorizon(NamedTuple):
    """What later runs need of a horizon.

    Attributes:
        waiting: mark whose transactions have not all ended; None if there is none.
        drained: the last mark whose transactions have all ended, if rows up to it may still be unread.
    """

    waiting: Waiting | None = None
    drained: Mark | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is anything to keep."""
        return self != KeptHorizon()

    @property
    def mark(self) -> Any:
        """The newest mark, of whatever it is."""
        return self.drained if self.waiting is None else self.waiting.mark

    def below(self, mark: Mark) -> Mark | None:
        """Return `drained`; None if it is a time above the new `mark`, as after the database's clock went back."""
        times = isinstance(mark, dt.datetime) and isinstance(self.drained, dt.datetime)
        return None if times and self.drained > mark else self.drained  # type: ignore[operator]

    def fact(self) -> dict[str, Any] | None:
        """Return it as plain JSON; None if there is nothing to keep."""
        found: dict[str, Any] = {}
        if self.waiting is not None:
            mark, ids, server, since = self.waiting
            found = {"mark": _text(mark), "open": sorted(ids), "server": dict(server), "since": since.isoformat()}
        if self.drained is not None:
            found["drained"] = _text(self.drained)
        return found or None


def kept_in(facts: Mapping[str, Any], columns: int, *, temporal: bool) -> KeptHorizon:
    """Return the horizon that a watermark's facts hold; marks of other columns are left out.

    Args:
        facts: of the watermark, already checked.
        columns: number of the position columns.
        temporal: whether the first one is a time.
    """
    found = facts.get(FACT) or {}
    mark, drained = (_mark(found.get(name), columns, temporal=temporal) for name in ("mark", "drained"))
    if mark is None:
        return KeptHorizon(None, drained)
    since = dt.datetime.fromisoformat(found["since"])
    return KeptHorizon(Waiting(mark, tuple(found["open"]), found["server"], since), drained)


def without_horizon(at: Watermark) -> Watermark:
    """Return a watermark without its horizon: what it says holds no more, and a run takes a new one."""
    return at._replace(facts={name: fact for name, fact in at.facts.items() if name != FACT})


def is_horizon(found: Any) -> bool:
    """Whether a fact has the form of a horizon."""
    if not isinstance(found, Mapping) or not all(_is_mark(found.get(name)) for name in ("mark", "drained")):
        return False
    if found.get("mark") is None:
        return True
    whole = are_texts(found.get("open")) and isinstance(found.get("server"), Mapping)
    return whole and _moment(found.get("since")) is not None


def _text(mark: Mark) -> Any:
    return mark.isoformat() if isinstance(mark, dt.datetime) else list(mark)


def _mark(found: Any, columns: int, *, temporal: bool) -> Mark | None:
    if temporal:
        return _moment(found)
    return tuple(found) if isinstance(found, list) and len(found) == columns else None


def _is_mark(found: Any) -> bool:
    return found is None or are_texts(found) or _moment(found) is not None


def _moment(found: Any) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(found) if is_text(found) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
