"""What triggers are asked for, what they are made of, and what of them a database has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.ports import Database, Reflection


class Asked(NamedTuple):
    """What a person asked for.

    Attributes:
        table: that the application writes.
        columns: of the payload.
        key: columns of `aggregateid`; None: the primary key.
        outbox: that the triggers fill.
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
    """A table's name as the catalog has it; `schema` is None where the database has none."""

    schema: str | None
    name: str


class Place(NamedTuple):
    """A table in the catalog.

    Attributes:
        name: whole.
        refusal: why no trigger can serve it; None where one can.
        notes: sentences that who runs the SQL has to know.
    """

    name: Name
    refusal: str | None = None
    notes: tuple[str, ...] = ()


class Outbox(NamedTuple):
    """An outbox in the catalog; `columns` is None where this user can see no such table."""

    name: Name
    columns: frozenset[str] | None

    @classmethod
    def among(cls, found: Sequence[tuple[Any, ...]], name: str) -> Outbox | None:
        """Return the outbox of a name, as it is written before any other; None where there is none.

        Args:
            found: schema, table and column of every column of the tables that it may be.
            name: of the table.
        """
        if not found:
            return None
        place = max((Name(*where) for *where, _ in found), key=lambda one: one.name == name)
        return cls(place, frozenset(str(column) for *where, column in found if Name(*where) == place))


class Capture(NamedTuple):
    """Triggers to be written, with what the catalog says.

    Attributes:
        table: that the application writes.
        outbox: that they fill.
        columns: of the payload.
        key: columns of `aggregateid`.
        aggregate_type: of every event.
        always: whether they fire for replicated rows too.
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
        body: what the catalog shows of it once it is there.
    """

    name: str
    create: str
    body: str


class Installed(NamedTuple):
    """A trigger that the database has.

    Attributes:
        name: of the trigger.
        body: what it does, blanks aside.
        fault: why it does not fire; None where it does.
        function: that it calls, quoted; None where it is a statement itself.
    """

    name: str
    body: str
    fault: str | None = None
    function: str | None = None


class Dialect(ABC):
    """How one database spells triggers, and where its catalog keeps them.

    Args:
        database: is only read.
    """

    only_here: ClassVar[bool] = False
    """Whether `--always` and `--notify` mean something here."""
    suffixes: ClassVar[tuple[str, ...]]
    """What the names of triggers end with."""
    quotes: ClassVar[str]
    """Signs that begin a quoted name."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a statement on the catalog."""
        return self.database.read(sa.text(statement).bindparams(**values))

    @abstractmethod
    def place(self, found: Reflection) -> Place:
        """Return where a table is that was found, and whether triggers can serve it."""

    @abstractmethod
    def outbox(self, schema: str | None, name: str) -> Outbox:
        """Return the outbox of a name, as it is written or in lower case; who asks may have no rights on it."""

    def refused_column(self, table: Name, column: Column) -> str | None:  # noqa: ARG002
        """Return why a trigger can't read a column; None where it can."""
        return None

    @abstractmethod
    def triggers(self, capture: Capture) -> tuple[Trigger, ...]:
        """Return the triggers that serve what was asked."""

    @abstractmethod
    def installed(self, capture: Capture) -> tuple[Installed, ...]:
        """Return the triggers of the table that fill this outbox, whoever printed them."""

    @abstractmethod
    def strangers(self, capture: Capture) -> list[str]:
        """Return what has a name that would be printed and belongs to somebody else, as words of a sentence."""

    @abstractmethod
    def script(self, capture: Capture, stale: Sequence[Installed]) -> str:
        """Return the statements that put the triggers in place of those that are there, all at once.

        Args:
            capture: what was asked.
            stale: triggers that fill this outbox under other names, from before the table was renamed.
        """
