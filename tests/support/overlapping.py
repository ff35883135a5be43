"""Runs with an overlap, as a relay makes them: what each sends, and the watermark that it leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from airflow_legacy_events.core.model import Batch, Horizon, Watermark

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


class Ran(NamedTuple):
    """One run.

    Attributes:
        sent: id and value of each row, and the counter in its event id.
        at: the watermark that it left.
        horizon: of it.
        batches: of it.
    """

    sent: list[tuple[int, str, int]]
    at: Watermark | None
    horizon: Horizon
    batches: list[Batch]

    @property
    def ids(self) -> list[int]:
        return [one[0] for one in self.sent]


class Stream:
    """A stream over a table `t (id, at, v)`, with its saved watermark."""

    def __init__(self, legacy: Any, **options: Any) -> None:
        self.legacy, self.at = legacy, None
        self.options = {"watermark_columns": ("at",), "key_columns": ("id",), "overlap": 10 * MINUTE, **options}

    def run(self, saves: int | None = None, **options: Any) -> Ran:
        """Run once; `saves` is how many batches are saved before the run dies, None: all, as it ends well."""
        with self.legacy.source(**{**self.options, **options}) as source:
            horizon, reading = source.open(self.at)
            batches: list[Batch] = []
            for batch in reading:
                batches.append(batch)
                if saves is None or len(batches) <= saves:
                    self.at = batch.watermark._replace(facts={**horizon.facts, **batch.watermark.facts})
                if saves is not None and len(batches) > saves:
                    break
        sent = [(int(row[0]), str(row[2]).strip(), batch.counter) for batch in batches for row in batch.rows]
        return Ran(sent, self.at, horizon, batches)

    def pending(self, **options: Any) -> int:
        """How many rows a look finds."""
        with self.looking(**options) as look:
            return look()

    @contextmanager
    def looking(self, **options: Any) -> Iterator[Any]:
        """A probe that looks again and again."""
        told = {**self.options, "columns": self.options["watermark_columns"], **options}
        with self.legacy.source(**told) as source:
            yield lambda: source.pending(self.at).rows

    def make(self, type_: str = "timestamp") -> None:
        self.legacy.execute(f"CREATE TABLE t (id integer NOT NULL PRIMARY KEY, at {type_} NOT NULL, v varchar(20))")

    def insert(self, number: int, ago: dt.timedelta = dt.timedelta(0), value: str = "a") -> None:
        self.legacy.execute(f"INSERT INTO t VALUES ({number}, '{self.text(ago)}', '{value}')")

    def update(self, number: int, value: str, ago: dt.timedelta | None = None) -> None:
        at = "" if ago is None else f", at = '{self.text(ago)}'"
        keep = ", at = at" if ago is None and self.legacy.dialect == "mysql" else at
        self.legacy.execute(f"UPDATE t SET v = '{value}'{keep} WHERE id = {number}")

    @staticmethod
    def text(ago: dt.timedelta) -> str:
        return (NOON - ago).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
