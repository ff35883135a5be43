"""Progress of each table of a change log: the state of its snapshot, and what the log could not tell of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from airflow_legacy_events.core.model import LogPosition, Watermark
from airflow_legacy_events.sources.changelog.numbers import numbers_of

UNREAD, READING, READ = "unread", "reading", "read"
STATES = (UNREAD, READING, READ)

TABLES = "tables"
"""Fact of a watermark: progress of each table, by `schema.table`."""

OPEN, BROKEN = "open", "broken"
LEGS = (OPEN, BROKEN)


class KnownColumn(NamedTuple):
    """A column as the log or the snapshot last had it.

    Attributes:
        name: of the column.
        type: the database's name of its type.
        number: the database's own number of it; None if it has none.
    """

    name: str
    type: str
    number: int | None


class Gap(NamedTuple):
    """Changes of a table that were passed without an event.

    Attributes:
        why: in words.
        place: where they were met.
        number: of the change at that place, 0 if it was not met in the log.
        removed: whether rows may have gone.
        generation: of the table then; a snapshot of a higher one makes up for it.
    """

    why: str
    place: str
    number: int
    removed: bool
    generation: int


@dataclass
class TableProgress:
    """Progress of one table.

    Attributes:
        state: of its snapshot: `unread`, `reading` or `read`.
        key: reached by its snapshot, as texts; None before the first page.
        key_columns: names of the columns of that key.
        generation: number of its snapshot, counted from 1.
        leg: `open` while rows may be sent before they are saved; `broken` if such a leg ended by a crash, until the
            table is read. None in between.
        anew: whether the snapshot reads the table again, so that no change of it is left out.
        requested: run that requested to read it again; a retry of that run continues. None if none did.
        columns: as the log or the snapshot last had them; None before.
        excluded: numbers of each excluded column, by the name under which it was excluded: a renamed one, and a new one
            that took its name.
        gaps: what was passed without an event.
    """

    key_columns: tuple[str, ...]
    state: str = UNREAD
    key: tuple[str, ...] | None = None
    generation: int = 1
    leg: str | None = None
    anew: bool = False
    requested: str | None = None
    columns: tuple[KnownColumn, ...] | None = None
    excluded: dict[str, tuple[int, ...]] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)

    @classmethod
    def of(cls, fact: Mapping[str, Any]) -> TableProgress:
        """Return the progress of a fact; a leg that is open there was broken off."""
        key, columns = fact.get("key"), fact.get("columns")
        return cls(
            key_columns=tuple(fact["key_columns"]),
            state=fact["state"],
            key=None if key is None else tuple(key),
            generation=fact.get("generation", 1),
            leg=BROKEN if fact.get("leg") else None,
            anew=bool(fact.get("anew")),
            requested=fact.get("requested"),
            columns=None if columns is None else tuple(KnownColumn(*one) for one in columns),
            excluded={name: numbers_of(one) for name, one in (fact.get("excluded") or {}).items()},
            gaps=[Gap(*one) for one in fact.get("gaps") or ()],
        )

    def as_fact(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        found: dict[str, Any] = {"state": self.state, "key_columns": list(self.key_columns)}
        optional = {
            "key": None if self.key is None else list(self.key),
            "leg": self.leg,
            "anew": self.anew or None,
            "requested": self.requested,
            "columns": None if self.columns is None else [list(one) for one in self.columns],
            "excluded": {name: one[0] if len(one) == 1 else [*one] for name, one in self.excluded.items()} or None,
            "gaps": [list(one) for one in self.gaps] or None,
        }
        return {
            **found,
            "generation": self.generation,
            **{name: one for name, one in optional.items() if one is not None},
        }

    @property
    def silent(self) -> bool:
        """Whether no row of the table was ever sent, so that a change of it says nothing to anybody."""
        return self.state == UNREAD and not self.anew and self.leg is None

    @property
    def passing(self) -> bool:
        """Whether all its rows are still to be read again, so that it makes up for what can't be reported now."""
        return self.state == UNREAD and self.anew

    @property
    def open_gaps(self) -> list[Gap]:
        """Gaps that the snapshot in hand, if there is one, does not make up for."""
        return [one for one in self.gaps if not (self.anew and one.generation < self.generation)]

    def begin_anew(self, requested: str | None = None) -> None:
        """Have all rows of the table read again, from its first key."""
        self.state, self.key, self.leg, self.anew, self.requested = UNREAD, None, None, True, requested
        self.generation += 1

    def end(self) -> None:
        """Note that all rows of the table are read."""
        self.gaps = self.open_gaps
        self.state, self.key, self.leg, self.anew = READ, None, None, False


@dataclass
class OpenTransaction:
    """A transaction that a position is inside of, while transactions have a topic.

    Attributes:
        place: of it in the log; see `LogPosition`.
        name: of it, once an event of it was sent; None before, and where that is its place.
        time: of its commit, as text; None before its first event.
        counts: number of its events by table so far; empty before the first one.
    """

    place: str
    name: str | None = None
    time: str | None = None
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, fact: Mapping[str, Any]) -> OpenTransaction:
        """Return the transaction of a fact."""
        return cls(fact["place"], fact.get("name"), fact.get("time"), dict(fact.get("counts") or {}))

    @property
    def id(self) -> str:
        """Its name for messages."""
        return self.name or self.place

    def as_fact(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        named = {} if self.id == self.place else {"name": self.name}
        return {"place": self.place, **named, "time": self.time, "counts": dict(self.counts)}


@dataclass
class Progress:
    """Progress of a stream, as its next watermark has it.

    Attributes:
        tables: by `schema.table`.
        position: in the log; None before the log began.
        waiting: numbers of transactions that the log has shown and queries may not see yet.
        facts: of the log.
        gone: number of the last snapshot of each table that was sent and is read no longer.
        transaction: whose changes are sent in part; None between two, and where transactions have no topic.
    """

    tables: dict[str, TableProgress]
    position: LogPosition | None = None
    waiting: tuple[int, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    transaction: OpenTransaction | None = None

    def left(self) -> list[str]:
        """Return the tables whose rows are not all read yet, begun ones first."""
        return [*self._in(READING), *self._in(UNREAD)]

    def watermark(self) -> Watermark:
        """Return the watermark of this moment."""
        assert self.position is not None, "no position in the log"  # noqa: S101
        place, changes = self.position
        tables = {name: one.as_fact() for name, one in self.tables.items()}
        facts = {**self.facts, TABLES: tables, "waiting": list(self.waiting)}
        if self.gone:
            facts["gone"] = dict(self.gone)
        if self.transaction is not None:
            facts["transaction"] = self.transaction.as_fact()
        return Watermark((place, str(changes)), (place,), facts)

    def _in(self, state: str) -> Sequence[str]:
        return [name for name, one in self.tables.items() if one.state == state]
