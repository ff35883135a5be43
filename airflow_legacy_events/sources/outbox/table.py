"""Outbox table: columns by role, the key of a row, and the mark of published rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from operator import itemgetter
from typing import Any
from zlib import crc32

import sqlalchemy as sa

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind, Shape
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Database, Reflection
from airflow_legacy_events.sources import withheld
from airflow_legacy_events.sources.order import spelled
from airflow_legacy_events.sources.outbox.marking import Marking
from airflow_legacy_events.sources.outbox.receipts import Received
from airflow_legacy_events.sources.rows import Rows
from airflow_legacy_events.sources.selection import Selection

_NULL_REMEDY = "or name columns that every row has with order_columns=[...], such as an identity column"


@dataclass(frozen=True)
class OutboxTable:
    """An outbox table whose arguments were checked against the catalog.

    Attributes:
        database: where it is.
        written: its name as the user wrote it.
        found: its catalog facts.
        roles: column names by role.
        selection: columns to read, in the order of the drain; its position ends with the key.
        key: columns that identify a row, including the id.
        marking: None if published rows are deleted.
        condition: of the rows to drain; None: all.
        version: hidden row version column, which changes with every change; None if there is none, or it can't be read.
        kept: whether published rows stay as they are.
    """

    database: Database
    written: str
    found: Reflection
    roles: Mapping[str, str]
    selection: Selection
    key: tuple[Column, ...]
    marking: Marking | None
    condition: Any = None
    version: Column | None = None
    kept: bool = False

    @property
    def what(self) -> str:
        """The table, for messages."""
        return f"table {self.written!r}"

    def column(self, role: str) -> Column | None:
        """Return the column of a role, None if the table has none."""
        name = self.roles.get(role)
        return next((one for one in self.selection.shape.columns if one.name == name), None)

    def rows(self, *conditions: Any, timezone: str, stream: str, selection: Selection | None = None) -> Rows:
        """Return the rows that meet the drain's condition and `conditions`, in the drain's or `selection`'s order."""
        where = tuple(one for one in (self.condition, *conditions) if one is not None)
        return Rows(
            self.database,
            self.what,
            self.found.selectable,
            selection or self.selection,
            timezone,
            where,
            small=self.found.small,
            stream=stream,
            null_remedy=_NULL_REMEDY,
        )

    def open_rows(self, *, timezone: str, stream: str) -> Rows:
        """Return the rows to be published."""
        if self.marking is None:
            return self.rows(timezone=timezone, stream=stream)
        constant = (self.marking.column.name,) if self.marking.constant else ()
        return replace(self.rows(self.marking.open, timezone=timezone, stream=stream), constant=constant)

    def received(self, rows: Sequence[tuple[Any, ...]]) -> Received:
        """Return the keys of these rows, and their versions when they were read."""
        names = [column.name for column in self.selection.shape.columns]
        values = [map(itemgetter(names.index(column.name)), rows) for column in self.key]
        texts = (map(self.database.text, found, repeat(one)) for found, one in zip(values, self.key, strict=True))
        return Received(list(zip(*texts, strict=True)), self.versions(rows))

    def versions(self, rows: Sequence[tuple[Any, ...]]) -> list[int]:
        """Return the row versions, which differ after a change: the database's own, else a CRC-32 of the row."""
        if self.version is None:
            return [crc32(ascii(row).encode()) for row in rows]
        return [int(row[-1]) for row in rows]

    @property
    def integers(self) -> bool:
        """Whether one integer identifies a row."""
        return len(self.key) == 1 and self.key[0].kind is Kind.INTEGER

    @property
    def clause(self) -> sa.TableClause:
        """The table as named in a writing statement."""
        table: Any = self.found.selectable
        names = (*(column.name for column in self.found.columns), *self.found.refused)
        return sa.table(table.name, *map(sa.column, names), schema=table.schema)


def select_outbox(
    table: str,
    roles: Mapping[str, str],
    order_columns: Sequence[str] | None,
    named: Sequence[str],
    found: Reflection,
    database: Database,
    version: Column | None,
) -> tuple[Selection, tuple[Column, ...]]:
    """Return the columns to read from an outbox, and those that identify a row.

    Args:
        table: for messages.
        roles: column names by role.
        order_columns: order of the drain; None: an integer id, else timestamp and id.
        named: further columns that messages need.
        found: catalog facts of the table.
        database: where it is.
        version: hidden row version column, if there is one that can be read.

    Raises:
        ConfigurationError: a column is missing, no unique key contains the id, or no column gives an order.
    """
    known = {column.name: column for column in found.columns}
    remedy = "or name other columns with order_columns=, topic= and headers="
    withheld.refuse(f"table {table!r}", found, [*(order_columns or ()), *named], remedy)
    if missing := [name for name in (*(order_columns or ()), *named) if name not in known]:
        raise ConfigurationError(
            f"table {table!r} has no column {', '.join(map(repr, missing))} that can be carried; it has"
            f" {', '.join(map(repr, known))}. Nothing was read; correct order_columns=, topic= or headers="
        )
    key = _key(table, roles["id"], found, known, database)
    order = tuple(order_columns or _order(table, roles, known))
    names = list(dict.fromkeys([*roles.values(), *order, *key, *named]))
    place = {name: at for at, name in enumerate(names)}
    columns = tuple(known[name] for name in names)
    group = [roles[role] for role in ("aggregate_type", "aggregate_id") if role in roles]
    time = roles.get("timestamp")
    shape = Shape(
        columns if version is None else (*columns, version),
        data=(place[roles["payload"]],),
        key=(place[roles["aggregate_id"]],),
        watermark=tuple(place[name] for name in order),
        time=place[time] if time is not None and known[time].kind in TEMPORAL else None,
        group=tuple(place[name] for name in group),
        roles={role: place[name] for role, name in roles.items()},
    )
    position = tuple(place[name] for name in dict.fromkeys([*order, *key]))
    identity = tuple(place[name] for name in key)
    return Selection(shape, position, "c", (key,), identity=identity), tuple(known[name] for name in key)


def by_time(selection: Selection, name: str) -> Selection:
    """Return the same columns in the order of a time, then of the rest of the position."""
    at = next(at for at, column in enumerate(selection.shape.columns) if column.name == name)
    return replace(selection, position=tuple(dict.fromkeys([at, *selection.position])), op="r")


def _key(table: str, id_: str, found: Reflection, known: Mapping[str, Column], database: Database) -> tuple[str, ...]:
    candidates = [
        one
        for one in (found.primary_key, *found.unique)
        if id_ in one
        and set(one) <= known.keys()
        # SQLite allows NULL in a primary key; such rows are looked for before the first read.
        and (one == found.primary_key or not any(known[name].nullable for name in one))
    ]
    if not candidates:
        _refuse_withheld_key(table, id_, found)
        raise ConfigurationError(
            f"table {table!r} has no primary key and no unique index over NOT NULL columns that contains the id"
            f" {id_!r}, so a published row can't be identified; nothing was read. ALTER TABLE"
            f" {spelled(database, found.selectable)} ADD PRIMARY KEY ({database.quoted(id_)})"
        )
    return min(candidates, key=len)


def _refuse_withheld_key(table: str, id_: str, found: Reflection) -> None:
    """Check that the lack of a key is not just a matter of missing privileges on its columns."""
    key: tuple[str, ...] = next((one for one in (found.primary_key, *found.unique) if id_ in one), ())
    withheld.refuse(f"table {table!r}", found, key, "or name another id with columns={'id': ...}")
    if found.withheld.hides:
        raise ConfigurationError(
            f"table {table!r} has no key that this user can see, and it may not read all columns; nothing was read. Run"
            f" the GRANT below:\n{found.withheld.grant()}"
        )


def _order(table: str, roles: Mapping[str, str], known: Mapping[str, Column]) -> tuple[str, ...]:
    if known[roles["id"]].kind is Kind.INTEGER:
        return (roles["id"],)
    if "timestamp" in roles:
        return (roles["timestamp"], roles["id"])
    raise ConfigurationError(
        f"nothing gives the rows of table {table!r} an order: its id {roles['id']!r} is {known[roles['id']].type} and"
        " it has no timestamp; nothing was read. Name the columns to follow with order_columns=[...], best an identity"
        " column, or a time with columns={'timestamp': ...}"
    )
