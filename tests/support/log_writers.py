"""Applications that write to tables whose log is read, and the history of what they committed, kept by triggers."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.support.legacy import Legacy

KEYS = 120
LONG_TEXT = "long " * 4_000
TABLES = {"orders": "id", "names": "name, number", "extras": "id"}
SCHEMA = (
    "CREATE SCHEMA shop",
    "CREATE SCHEMA journal",
    """CREATE TABLE journal.history (
         seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text, key text, op text, v bigint)""",
    "CREATE SEQUENCE journal.versions",
    """CREATE FUNCTION journal.key_of(source text, found jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
       SELECT CASE source WHEN 'names' THEN concat_ws('/', found->>'name', found->>'number')
              ELSE found->>'id' END $$""",
    """CREATE FUNCTION journal.note() RETURNS trigger LANGUAGE plpgsql AS $$
       DECLARE old_key text := CASE WHEN TG_OP <> 'INSERT' THEN journal.key_of(TG_TABLE_NAME, to_jsonb(OLD)) END;
               new_key text := CASE WHEN TG_OP <> 'DELETE' THEN journal.key_of(TG_TABLE_NAME, to_jsonb(NEW)) END;
       BEGIN
         IF TG_OP = 'DELETE' OR old_key <> new_key THEN
           INSERT INTO journal.history (source, key, op) VALUES (TG_TABLE_NAME, old_key, 'd');
         END IF;
         IF TG_OP <> 'DELETE' THEN
           INSERT INTO journal.history (source, key, op, v)
           VALUES (TG_TABLE_NAME, new_key, CASE WHEN old_key = new_key THEN 'u' ELSE 'c' END, NEW.v);
         END IF;
         RETURN NULL;
       END $$""",
)
_COLUMNS = {
    "orders": "id bigint PRIMARY KEY, v bigint NOT NULL, note text",
    "extras": "id bigint PRIMARY KEY, v bigint NOT NULL, note text",
    "names": 'name text COLLATE "und-x-icu", number integer, v bigint NOT NULL, note text, PRIMARY KEY (name, number)',
}
_LOST = (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected)


def table(name: str) -> tuple[str, ...]:
    """Return the statements that make a table with its history."""
    trigger = f"CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON shop.{name}"
    return f"CREATE TABLE shop.{name} ({_COLUMNS[name]})", f"{trigger} FOR EACH ROW EXECUTE FUNCTION journal.note()"


class Writer(threading.Thread):
    """Commits random transactions until it is told to end: savepoints, rollbacks, key changes, large values and rows.

    Args:
        legacy: the database.
        seed: of its choices.
        names: of the tables that are there; a test adds to it.
    """

    def __init__(self, legacy: Legacy, seed: int, names: list[str]) -> None:
        super().__init__(daemon=True)
        self._connection, self._random, self._names = legacy.connect(), random.Random(seed), names
        self.over = threading.Event()
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with contextlib.closing(self._connection) as session:
                session.autocommit = False
                while not self.over.wait(self._random.random() * 0.02):
                    with contextlib.suppress(*_LOST):
                        self._transaction(session)
                    session.rollback()
        except Exception as error:  # noqa: BLE001  raised in the test's thread
            self.error = error

    def _transaction(self, session: Any) -> None:
        for _ in range(self._random.choice((1, 1, 2, 5, 20))):
            self._change(session)
        if self._random.random() < 0.02:
            session.execute(
                "INSERT INTO shop.orders SELECT n, nextval('journal.versions'), 'bulk' FROM generate_series(1, 400) n"
                " ON CONFLICT (id) DO UPDATE SET v = excluded.v"
            )
        if self._random.random() < 0.3:
            session.execute("SAVEPOINT one")
            self._change(session)
            session.execute("ROLLBACK TO one" if self._random.random() < 0.5 else "RELEASE one")
        (session.rollback if self._random.random() < 0.1 else session.commit)()

    def _change(self, session: Any) -> None:
        name, dice = self._random.choice(self._names), self._random.random()
        key, to = (self._key(name) for _ in range(2))
        columns = TABLES[name]
        where = f"({columns}) = ({', '.join('%s' for _ in key)})"
        if dice < 0.45:
            note = self._random.choice(("short", None, LONG_TEXT))
            session.execute(
                f"INSERT INTO shop.{name} ({columns}, v, note) VALUES ({', '.join('%s' for _ in key)},"
                f" nextval('journal.versions'), %s) ON CONFLICT ({columns}) DO UPDATE SET v = excluded.v",
                (*key, note),
            )
        elif dice < 0.7:
            moved = ", ".join(f"{column} = %s" for column in columns.split(", "))
            session.execute(
                f"UPDATE shop.{name} SET {moved}, v = nextval('journal.versions') WHERE {where}", (*to, *key)
            )
        else:
            session.execute(f"DELETE FROM shop.{name} WHERE {where}", key)

    def _key(self, name: str) -> tuple[Any, ...]:
        number = self._random.randrange(KEYS)
        return ("aÄbBzZ"[number % 6], number) if name == "names" else (number,)


@contextmanager
def writing(legacy: Legacy, names: list[str], writers: int = 4) -> Iterator[list[Writer]]:
    """Writers that write until they are told to end, at the latest when the context ends."""
    found = [Writer(legacy, seed, names) for seed in range(writers)]
    for one in found:
        one.start()
    try:
        yield found
    finally:
        end(found)


def end(writers: list[Writer]) -> None:
    """Let writers end; raise what one of them died of."""
    for one in writers:
        one.over.set()
    for one in writers:
        one.join(60)
    for one in writers:
        if one.error is not None:
            raise one.error
