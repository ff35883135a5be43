"""Catalog facts of tables, views and queries, as a database reports them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from airflow_legacy_events.core.columns import Column


class TableState(NamedTuple):
    """State of a table, view or query when a run begins, apart from its columns.

    What can't be determined is empty or None; if a privilege is missing, `unknown` says so.

    Attributes:
        distinct: column lists proved unique by the catalog among the rows that are read, as the database compares
            values. An index that does not cover inheriting tables, or has another collation than comparisons, is no
            proof.
        proves_keys: whether absence from `distinct` means that a declared key is not unique among the rows that are
            read; False if that can't be decided.
        object: plain JSON identity; another table, or one that was emptied or rewritten, has a different one.
        unsorted: names of columns whose longest values may exceed the prefix by which the server sorts.
        order: collations of the columns that have one, by name.
        definition: fingerprint of the definitions of a view and of the views it uses, each from its FROM on; None for
            a table.
        unheld: why a snapshot does not freeze the rows, naming the table and the statement that fixes it; None if it
            does.
        unknown: what could not be determined, each in words with the GRANT that would allow it.
        writing: what `Database.writers` needs of the catalog, in the database's own terms.
    """

    distinct: tuple[tuple[str, ...], ...] = ()
    proves_keys: bool = True
    unsorted: frozenset[str] = frozenset()
    object: Mapping[str, Any] | None = None
    order: Mapping[str, str] = MappingProxyType({})
    definition: str | None = None
    unheld: str | None = None
    unknown: tuple[str, ...] = ()
    writing: Any = None


class NextId(NamedTuple):
    """Generator of a column's values, such as an owned sequence or AUTO_INCREMENT.

    Attributes:
        value: the lowest number that it may generate next; None if there is no generator, or it can't be seen.
        unknown: why it can't be seen, in words with the GRANT that would allow it; None if it can, or there is none.
        returns: whether ids of deleted newest rows are reused; a low value then does not prove a reset.
    """

    value: int | None = None
    unknown: str | None = None
    returns: bool = False


class TableWrites(NamedTuple):
    """Effects of deleting or updating rows of a table, from the catalog; nothing is written to determine them.

    Attributes:
        name: canonical name of the table on this server, independent of spelling and connection.
        elsewhere: why its rows must not be written here, naming the primary if it is known; None if they may.
        references: foreign keys that point here and block the deletion of referenced rows, each in words.
        effects: what a DELETE triggers: cascades, triggers, rules, policies; each in words.
        update_effects: what an UPDATE triggers, likewise.
        ids_return: why the id of a deleted row may be reused; None if it is not.
        set_on_update: columns that the database sets to its current time whenever a row is updated.
        partial: partial indexes: their columns, and the condition as the database writes it.
        churn: rows inserted and deleted since the statistics began; None if they are not counted.
        bytes: size of the table and its indexes; None if unknown.
        unknown: what could not be determined, each in words with the GRANT that would allow it.
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
        names: of the known columns, each as a GRANT spells it.
        hides: whether the server hides names of columns without a privilege; there may then be more.
        at_least: minimum number of columns whose names are hidden.
        on: the table as a GRANT names it.
        to: the user as a GRANT names it.
        quote: quotation mark of other names, doubled inside them.
        hidden: names of system columns that the user may not read either, such as `Database.version`.
    """

    names: Mapping[str, str] = MappingProxyType({})
    hides: bool = False
    at_least: int = 0
    on: str = ""
    to: str = ""
    quote: str = '"'
    hidden: tuple[str, ...] = ()

    def grant(self, names: Sequence[str] = ()) -> str:
        """Return the GRANT that lets this user read these columns; without any, the whole table."""
        columns = f" ({', '.join(map(self._spelled, names))})" if names else ""
        return f"GRANT SELECT{columns} ON {self.on} TO {self.to}"

    def _spelled(self, name: str) -> str:
        return self.names.get(name) or self.quote + name.replace(self.quote, 2 * self.quote) + self.quote


class ServerZone(NamedTuple):
    """Default time zone of a server's sessions, in which an application usually writes naive times.

    Attributes:
        name: for `core.zones.zone_named`, `UTC` if it is UTC all year; None if `said` names no zone.
        said: the server's own wording, for messages.
    """

    name: str | None
    said: str


class Reflection(Protocol):
    """Catalog facts of a table or query, known before any row of it is read."""

    @property
    def selectable(self) -> Any:
        """SQLAlchemy FROM element; its columns are addressed by name."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The supported columns, in order."""

    @property
    def refused(self) -> Mapping[str, str]:
        """Names of the unsupported columns, with the database's name of their types."""

    @property
    def withheld(self) -> Withheld:
        """Columns that this user may not read; they are neither in `columns` nor in `refused`."""

    @property
    def unlisted(self) -> frozenset[str]:
        """Names of columns that hold no row data, such as the rank of a search; read only if named explicitly."""

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Empty for a query, a view or a table without one."""

    @property
    def unique(self) -> tuple[tuple[str, ...], ...]:
        """Column lists of the other unique indexes and constraints that cover every row."""

    @property
    def indexes(self) -> tuple[tuple[str, ...], ...] | None:
        """Column lists of all indexes; None if unknown."""

    @property
    def small(self) -> bool:
        """Whether the catalog proves that no value is large; it then saves the cost of `Database.bounded`."""

    @property
    def state(self) -> TableState:
        """State of the table, view or query; see `TableState`."""
