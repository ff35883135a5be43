"""Model of triggers: the request, the parts of a trigger, and those installed in a database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.ports import Database, Reflection


class Request(NamedTuple):
    """A person's request.

    Attributes:
        table: written by the application.
        columns: of the payload.
        key: columns of `aggregateid`; None: the primary key.
        outbox: filled by the triggers.
        aggregate_type: None: the table's name.
        always: whether the triggers fire for replicated rows too.
        notify: channel of a NOTIFY; None: none is sent.
    """

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...] | None = None
    outbox: str = "outbox"
    aggregate_type: str | None = None
    always: bool = False
    notify: str | None = None


class Name(NamedTuple):
    """A table's name as in the catalog; `schema` is None for a database without schemas."""

    schema: str | None
    name: str


class Place(NamedTuple):
    """A table in the catalog.

    Attributes:
        name: the full name.
        refusal: why no trigger can serve it; None if one can.
        notes: sentences that the person who runs the SQL must know.
    """

    name: Name
    refusal: str | None = None
    notes: tuple[str, ...] = ()


class Outbox(NamedTuple):
    """An outbox in the catalog; `columns` is None if this user can see no such table."""

    name: Name
    columns: frozenset[str] | None

    @classmethod
    def among(cls, found: Sequence[tuple[Any, ...]], name: str) -> Outbox | None:
        """Return the outbox of a name, preferring its exact spelling; None if there is none.

        Args:
            found: schema, table and column of every column of the candidate tables.
            name: of the table.
        """
        if not found:
            return None
        place = max((Name(*where) for *where, _ in found), key=lambda one: one.name == name)
        return cls(place, frozenset(str(column) for *where, column in found if Name(*where) == place))


class Capture(NamedTuple):
    """Triggers to be written, with the information from the catalog.

    Attributes:
        table: written by the application.
        outbox: filled by the triggers.
        columns: of the payload.
        key: columns of `aggregateid`.
        aggregate_type: of every event.
        always: whether the triggers fire for replicated rows too.
        notify: channel of a NOTIFY; None: none is sent.
        notes: comments of the SQL.
    """

    table: Name
    outbox: Name
    columns: tuple[Column, ...]
    key: tuple[Column, ...]
    aggregate_type: str
    always: bool = False
    notify: str | None = None
    notes: tuple[str, ...] = ()


class Trigger(NamedTuple):
    """A trigger as it would be printed today.

    Attributes:
        name: of the trigger.
        create: its statement, without the semicolon.
        body: what the catalog shows for it once it is installed.
    """

    name: str
    create: str
    body: str


class Installed(NamedTuple):
    """A trigger installed in the database.

    Attributes:
        name: of the trigger.
        body: its definition, ignoring blanks.
        fault: why it does not fire; None if it does.
        function: the function that it calls, quoted; None if the trigger itself is a statement.
    """

    name: str
    body: str
    fault: str | None = None
    function: str | None = None


class Dialect(ABC):
    """Dialect of one database: how it spells triggers, and where its catalog keeps them.

    Args:
        database: is only read.
    """

    only_here: ClassVar[bool] = False
    """Whether `--always` and `--notify` apply to this database."""
    suffixes: ClassVar[tuple[str, ...]]
    """Suffixes of trigger names."""
    quotes: ClassVar[str]
    """Characters that begin a quoted name."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a catalog query."""
        return self.database.read(sa.text(statement).bindparams(**values))

    @abstractmethod
    def place(self, found: Reflection) -> Place:
        """Return the place of a table that was found, and whether triggers can serve it."""

    @abstractmethod
    def outbox(self, schema: str | None, name: str) -> Outbox:
        """Return the outbox of that exact name, else in lower case; the user may have no rights on it."""

    def refused_column(self, table: Name, column: Column) -> str | None:  # noqa: ARG002
        """Return why a trigger can't read a column; None if it can."""
        return None

    @abstractmethod
    def triggers(self, capture: Capture) -> tuple[Trigger, ...]:
        """Return the triggers for the request."""

    @abstractmethod
    def installed(self, capture: Capture) -> tuple[Installed, ...]:
        """Return the triggers of the table that fill this outbox, regardless of origin."""

    @abstractmethod
    def strangers(self, capture: Capture) -> list[str]:
        """Return foreign objects whose names collide with those to be printed, as words of a sentence."""

    @abstractmethod
    def script(self, capture: Capture, stale: Sequence[Installed]) -> str:
        """Return the statements that replace the installed triggers, all at once.

        Args:
            capture: the request.
            stale: triggers that fill this outbox under other names, from before the table was renamed.
        """
