"""Reruns: the rows of a live run's span, sent again in their current state."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.model import Span, listed
from airflow_legacy_events.sources.place import Start
from airflow_legacy_events.sources.renewal import Reader
from airflow_legacy_events.sources.replay import RepeatRun


@dataclass
class RerunRun(RepeatRun):
    """The rows of `(after, until]` in the order of the watermark.

    Attributes:
        begin: value at which a first run begins; None: at the beginning.
        now: whether a first run only recorded the end of the table, and so sent nothing.
    """

    span: Span
    begin: str | None
    now: bool

    fact = "span"

    def _identity(self) -> Any:
        after, until, included, also = self.span
        span = [listed(after), list(until), included]
        return [*span, [[listed(place), at] for place, at in also]] if also else span

    def _target(self) -> tuple[str, ...] | None:
        return self.span.until or None

    def _check(self, at: Start) -> None:
        self.rows.refuse_null(at)

    def _page(self, reader: Reader, at: Start, limit: int) -> list[tuple[Any, ...]]:
        if not self.span.until or (self.span.after is None and self.now):
            return []
        return reader.page(at if at.values else self._begin(), self.span.until, limit)

    def _begin(self) -> Start:
        places = ((self.span.after, self.span.included), *self.span.also)
        return functools.reduce(self.rows.lower, itertools.starmap(self._start, places))

    def _start(self, after: tuple[str, ...] | None, included: bool) -> Start:  # noqa: FBT001  read from a pair
        if after is not None:
            return Start(after, included)
        return Start(() if self.begin is None else (self.begin,), included=True)
