"""Catalog facts of tables, views and queries, as a database gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from airflow_legacy_events.core.columns import Column


class TableState(NamedTuple):
    """What a table, view or query is when a run begins, beside its columns.

    What can't be known is empty or None; where a right is missing, `unknown` says so.

    Attributes:
        distinct: column lists of which the catalog proves that no two of the rows that are read share their values, as
            the database compares them: an index that does not hold for inheriting tables, or under another collation
            than that of comparisons, proves nothing.
        proves_keys: whether a declared key that is not in `distinct` does not hold for what is read; False where that
            can't be told.
        object: plain JSON that another table, or one that was emptied or rewritten, does not share.
        unsorted: names of columns whose longest values may be longer than what the server sorts rows by.
        order: collations of the columns that have one, by name.
        definition: fingerprint of a view's definition and of those of the views below it, each from its FROM on; None
            for a table.
        unheld: why one snapshot does not hold the rows still, naming the table and the statement that mends it; None
            where it does.
        unknown: what could not be found out, each in words with the GRANT that shows it.
    """

    distinct: tuple[tuple[str, ...], ...] = ()
    proves_keys: bool = True
    unsorted: frozenset[str] = frozenset()
    object: Mapping[str, Any] | None = None
    order: Mapping[str, str] = MappingProxyType({})
    definition: str | None = None
    unheld: str | None = None
    unknown: tuple[str, ...] = ()


class NextId(NamedTuple):
    """The generator of a column's values, such as an owned sequence or AUTO_INCREMENT.

    Attributes:
        value: the least number that it may hand out next; None where there is no generator, or it can't be seen.
        unknown: why it can't be seen, in words with the GRANT that shows it; None where it can, or there is none.
        returns: whether ids of deleted newest rows are handed out again, so that a low value tells of no reset.
    """

    value: int | None = None
    unknown: str | None = None
    returns: bool = False


class TableWrites(NamedTuple):
    """What deleting or updating rows of a table meets, as the catalog says; nothing is written to find it out.

    Attributes:
        name: of the table on this server, whichever way it was written and whichever connection leads to it.
        elsewhere: why its rows must not be written here, naming the primary where that is known; None where they may.
        references: foreign keys that point here and let no row be deleted that they refer to, each in words.
        effects: what a DELETE sets off: cascades, triggers, rules, policies; each in words.
        update_effects: what an UPDATE sets off, likewise.
        ids_return: why the id of a deleted row may be given to another one; None where it is not.
        set_on_update: columns that the database sets to its time whenever a row is updated.
        partial: indexes that leave rows out: their columns, and the condition as the database writes it.
        churn: rows inserted and deleted since the statistics began; None where they are not counted.
        bytes: that the table and its indexes take; None where that is not known.
        unknown: what could not be found out, each in words with the GRANT that shows it.
    """

    name: str
    elsewhere: str | None = None
    references: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    update_effects: tuple[str, ...] = ()
    ids_return: str | None = None
    set_on_update: tuple[str, ...] = ()
    partial: tuple[tuple[tuple[str, ...], str], ...] = ()
    churn: tuple[int, int] | None = None
    bytes: int | None = None
    unknown: tuple[str, ...] = ()


class Withheld(NamedTuple):
    """Columns of a table that this user may not read.

    Attributes:
        names: of those that are known, each as a GRANT spells it.
        hides: whether the server hides names of columns that a user has no right on, so that there may be more.
        at_least: how many there are at least whose names are hidden.
        on: the table as a GRANT names it.
        to: the user as a GRANT names it.
        quote: of other names, doubled inside of them.
        hidden: names of hidden columns that it may not read either, such as `Database.version`.
    """

    names: Mapping[str, str] = MappingProxyType({})
    hides: bool = False
    at_least: int = 0
    on: str = ""
    to: str = ""
    quote: str = '"'
    hidden: tuple[str, ...] = ()

    def grant(self, names: Sequence[str] = ()) -> str:
        """Return the statement that lets this user read these columns; without any the whole table."""
        columns = f" ({', '.join(map(self._spelled, names))})" if names else ""
        return f"GRANT SELECT{columns} ON {self.on} TO {self.to}"

    def _spelled(self, name: str) -> str:
        return self.names.get(name) or self.quote + name.replace(self.quote, 2 * self.quote) + self.quote


class ServerZone(NamedTuple):
    """The zone that a server gives sessions of its own, in which an application usually writes naive times.

    Attributes:
        name: for `core.zones.zone_named`, `UTC` where it is UTC all year; None where what is said names no zone.
        said: what the server says, for messages.
    """

    name: str | None
    said: str


class Reflection(Protocol):
    """Catalog facts of a table or query, known before any row of it is read."""

    @property
    def selectable(self) -> Any:
        """A SQLAlchemy FROM element; its columns are addressed by name."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns that can be carried, in order."""

    @property
    def refused(self) -> Mapping[str, str]:
        """The other columns' names, with the database's name of their types."""

    @property
    def withheld(self) -> Withheld:
        """Its columns that this user may not read; they are neither in `columns` nor in `refused`."""

    @property
    def unlisted(self) -> frozenset[str]:
        """Names of columns that hold nothing of a row, such as the rank of a search: read only where they are named."""

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Empty for a query, a view or a table without one."""

    @property
    def unique(self) -> tuple[tuple[str, ...], ...]:
        """Column lists of the other unique indexes and constraints that cover every row."""

    @property
    def indexes(self) -> tuple[tuple[str, ...], ...] | None:
        """Column lists of all indexes; None where they can't be known."""

    @property
    def small(self) -> bool:
        """Whether the catalog proves that no value is large; `Database.bounded` has its price."""

    @property
    def state(self) -> TableState:
        """What the table, view or query is; see `TableState`."""
