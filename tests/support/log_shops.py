"""Shops whose change log is read while writers write: tables, and triggers that keep the history of each row."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, ClassVar

import psycopg

from tests.support.legacy import Legacy
from tests.support.slots import LoggedDatabase

KEYS = 120
COLUMNS: Mapping[str, tuple[str, ...]] = {"orders": ("id",), "names": ("name", "number"), "extras": ("id",)}
TABLES = {name: ", ".join(columns) for name, columns in COLUMNS.items()}
"""The key of each table; `extras` joins while the others are written."""


class Shop(ABC):
    """A database of writers.

    Attributes:
        legacy: the database.
        names: of the tables that are there.
        more: columns of `orders` that came later, nullable ones.
        drops: whether one of them goes again.
        versions: gives the next one to every writer.
        pattern: names all tables of the stream.
        slot: of the stream; None where there is none.
    """

    lost: ClassVar[tuple[type[Exception], ...]]
    """What takes a transaction away from its writer: a key that is there, a deadlock, a column that has gone."""
    place: ClassVar[str] = ""
    """Behind which column one of the later ones comes; behind all of them where it can't be said."""

    def __init__(self, legacy: Legacy, pattern: str, slot: str | None = None) -> None:
        self.legacy, self.pattern, self.slot = legacy, pattern, slot
        self.names: list[str] = []
        self.more: tuple[str, ...] = ()
        self.drops = True
        self.versions = itertools.count(1_000)

    @abstractmethod
    def make(self, name: str) -> Sequence[str]:
        """Return the statements that make a table with its history."""

    @abstractmethod
    def table(self, name: str) -> str:
        """Return a table's name as statements have it."""

    @abstractmethod
    def upsert(self, name: str, columns: Sequence[str]) -> str:
        """Return the end of an INSERT that changes these columns of a row that is there."""

    @property
    @abstractmethod
    def history(self) -> str:
        """Name of the table of histories."""

    def session(self, number: int) -> Any:
        """Return a session of a writer."""
        return self.legacy.connect()

    def recovered(self, session: Any, number: int) -> Any:
        """Return a session in which no transaction is open."""
        session.execute("ROLLBACK")
        return session

    def transaction(self, session: Any, order: Random, change: Callable[..., None]) -> None:
        """Let a writer change something, and commit it, mostly."""
        session.execute("BEGIN")
        change(session)
        session.execute("ROLLBACK" if order.random() < 0.1 else "COMMIT")

    def key(self, name: str, order: Random) -> tuple[Any, ...]:
        """Return a key."""
        number = order.randrange(KEYS)
        return ("aÄbBzZ"[number % 6], number) if name == "names" else (number,)

    def later(self, name: str, order: Random) -> tuple[str, ...]:
        """Return the later columns that a change writes too."""
        return self.more if name == "orders" and order.random() < 0.5 else ()

    def open(self) -> None:
        """Make two of the tables, with rows in one of them."""
        for name in ("orders", "names"):
            self.add(name)
        marks = ", ".join(f"({number}, {number}, 'seed')" for number in range(1, KEYS + 1))
        self.legacy.execute(f"INSERT INTO {self.table('orders')} (id, v, note) VALUES {marks}")

    def add(self, name: str) -> None:
        """Make a table that writers then use."""
        for statement in self.make(name):
            self.legacy.execute(statement)
        self.names.append(name)

    def alter(self) -> None:
        """Add nullable columns, which writers then write, and a table."""
        self.changed(f"ALTER TABLE {self.table('orders')} ADD COLUMN passing text{self.place}, ADD COLUMN later text")
        self.more = ("passing", "later")
        self.add("extras")

    def drop(self) -> None:
        """Drop one of the later columns."""
        self.more = ("later",)
        self.changed(f"ALTER TABLE {self.table('orders')} DROP COLUMN passing")

    def changed(self, statement: str) -> None:
        """Run a statement that waits for the writers of a table."""
        self.legacy.execute(statement)

    def rows(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the rows of a table by key."""
        cursor = self.legacy.connection.execute(f"SELECT * FROM {self.table(name)}")
        names = [one[0] for one in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return {"/".join(str(row[one]) for one in COLUMNS[name]): row for row in found}

    def changes(self) -> list[tuple[str, str, str, int | None]]:
        """Return table, key, op and version of each committed change, those of a key in their order."""
        return self.legacy.execute(f"SELECT source, keyed, op, v FROM {self.history} ORDER BY seq")  # type: ignore[return-value]

    def last_change(self) -> int:
        """Return the number of the last committed change."""
        [(found,)] = self.legacy.execute(f"SELECT coalesce(max(seq), 0) FROM {self.history}")
        return int(found)


class PostgresShop(Shop):
    """See `Shop`; schema `shop` of a database."""

    lost = (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected, psycopg.errors.UndefinedColumn)
    history = "journal.history"
    _COLUMNS: ClassVar[Mapping[str, str]] = {
        "orders": "id bigint PRIMARY KEY, v bigint NOT NULL, note text",
        "extras": "id bigint PRIMARY KEY, v bigint NOT NULL, note text",
        "names": 'name text COLLATE "und-x-icu", number integer, v bigint NOT NULL, note text,'
        " PRIMARY KEY (name, number)",
    }
    SCHEMA = (
        "CREATE SCHEMA shop",
        "CREATE SCHEMA journal",
        """CREATE TABLE journal.history (
             seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text, keyed text, op text, v bigint)""",
        """CREATE FUNCTION journal.key_of(source text, found jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
           SELECT CASE source WHEN 'names' THEN concat_ws('/', found->>'name', found->>'number')
                  ELSE found->>'id' END $$""",
        """CREATE FUNCTION journal.note() RETURNS trigger LANGUAGE plpgsql AS $$
           DECLARE old_key text := CASE WHEN TG_OP <> 'INSERT' THEN journal.key_of(TG_TABLE_NAME, to_jsonb(OLD)) END;
                   new_key text := CASE WHEN TG_OP <> 'DELETE' THEN journal.key_of(TG_TABLE_NAME, to_jsonb(NEW)) END;
           BEGIN
             IF TG_OP = 'DELETE' OR old_key <> new_key THEN
               INSERT INTO journal.history (source, keyed, op) VALUES (TG_TABLE_NAME, old_key, 'd');
             END IF;
             IF TG_OP <> 'DELETE' THEN
               INSERT INTO journal.history (source, keyed, op, v)
               VALUES (TG_TABLE_NAME, new_key, CASE WHEN old_key = new_key THEN 'u' ELSE 'c' END, NEW.v);
             END IF;
             RETURN NULL;
           END $$""",
    )

    @classmethod
    def of(cls, logged: LoggedDatabase) -> PostgresShop:
        """Return the shop in a database whose log is read through a slot."""
        logged.execute(*cls.SCHEMA)
        return cls(logged.legacy, "shop.*", logged.name)

    def make(self, name: str) -> Sequence[str]:
        trigger = f"CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON shop.{name}"
        return (
            f"CREATE TABLE shop.{name} ({self._COLUMNS[name]})",
            f"{trigger} FOR EACH ROW EXECUTE FUNCTION journal.note()",
        )

    def table(self, name: str) -> str:
        return f"shop.{name}"

    def upsert(self, name: str, columns: Sequence[str]) -> str:
        changed = ", ".join(f"{one} = excluded.{one}" for one in columns)
        return f"ON CONFLICT ({TABLES[name]}) DO UPDATE SET {changed}"
