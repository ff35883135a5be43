"""The shop of MariaDB and MySQL: plain and XA transactions, compressed ones, and a log that turns to its next file."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, ClassVar

import MySQLdb
import sqlalchemy as sa

from tests.services.base import wait_until
from tests.support import mysql
from tests.support.databases import fresh_database
from tests.support.engines import ENGINES
from tests.support.legacy import Legacy
from tests.support.log_shops import COLUMNS, Shop

_SESSION = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION innodb_lock_wait_timeout = 1",
)
_NOTED = "CREATE TEMPORARY TABLE IF NOT EXISTS noted (id int)"


class MysqlShop(Shop):
    """See `Shop`; a database, and another one for the histories. Its keys are equal whatever their case.

    Args:
        legacy: the database.
        journal: name of the database of the histories.
    """

    place = " AFTER id"
    lost = (MySQLdb.IntegrityError, MySQLdb.OperationalError)
    _COLUMNS: ClassVar[Mapping[str, str]] = {
        "orders": "id bigint PRIMARY KEY, v bigint NOT NULL, note text",
        "extras": "id bigint PRIMARY KEY, v bigint NOT NULL, note text",
        "names": "name varchar(9), number integer, v bigint NOT NULL, note text, PRIMARY KEY (name, number)",
    }

    def __init__(self, legacy: Legacy, journal: str) -> None:
        super().__init__(legacy, f"{legacy.url.database}.*")
        self._journal = journal
        self._old = "JSON" in legacy.engine.lacks
        mariadb = legacy.engine.name.startswith("mariadb")
        self._compresses = not self._old and not mariadb
        self._detaches = self._compresses  # MariaDB may lose what a session prepared that is gone, 5.6 rolls it back
        legacy.execute(
            f"CREATE TABLE {self.history} (seq bigint AUTO_INCREMENT PRIMARY KEY, source varchar(9), keyed varchar(30),"
            " op char(1), v bigint)"
        )

    @property
    def history(self) -> str:
        return f"{self._journal}.history"

    def make(self, name: str) -> Sequence[str]:
        old, new = (", ".join(f"{row}.{one}" for one in COLUMNS[name]) for row in ("OLD", "NEW"))
        noted = f"INSERT INTO {self.history} (source, keyed, op, v) VALUES ('{name}', CONCAT_WS('/', %s), %s)"
        left, made = noted % (old, "'d', NULL"), noted % (new, "'c', NEW.v")
        same = f"BINARY CONCAT_WS('/', {old}) = BINARY CONCAT_WS('/', {new})"
        kept = noted % (new, "'u', NEW.v")
        changed = f"IF {same} THEN {kept}; ELSE {left}; {made}; END IF"
        triggers = {"INSERT": made, "DELETE": left, "UPDATE": f"BEGIN {changed}; END"}
        table = self.table(name)
        return (
            f"CREATE TABLE {table} ({self._COLUMNS[name]})",
            *(
                f"CREATE TRIGGER {table}_{event} AFTER {event} ON {table} FOR EACH ROW {body}"
                for event, body in triggers.items()
            ),
        )

    def table(self, name: str) -> str:
        return f"{self.legacy.url.database}.{name}"

    def upsert(self, name: str, columns: Sequence[str]) -> str:
        return f"ON DUPLICATE KEY UPDATE {', '.join(f'{one} = VALUES({one})' for one in columns)}"

    def key(self, name: str, order: Random) -> tuple[Any, ...]:
        found = super().key(name, order)
        return (found[0].swapcase(), *found[1:]) if name == "names" and order.random() < 0.3 else found

    def session(self, number: int) -> Any:
        found = self.legacy.connect()
        for statement in (*_SESSION, *(["SET SESSION binlog_transaction_compression = ON"] * self._compresses)):
            found.execute(statement)
        if number % 2 and self._compresses:
            found.execute("SET SESSION binlog_transaction_compression = OFF")
        return found

    def changed(self, statement: str) -> None:
        """See `Shop`; one that waits for the rows of a prepared transaction may keep its decision from being run."""
        with contextlib.closing(self.legacy.connect()) as session:
            session.execute("SET SESSION lock_wait_timeout = 3, SESSION innodb_lock_wait_timeout = 1")
            wait_until(lambda: _done(session, statement), statement)

    def recovered(self, session: Any, number: int) -> Any:
        try:
            session.execute("ROLLBACK")
        except MySQLdb.Error:  # it is within an XA transaction, or gone
            session.close()
            return self.session(number)
        return session

    def transaction(self, session: Any, order: Random, change: Callable[..., None]) -> None:
        dice = order.random()
        if dice < 0.15:
            self._global(session, order, change)
            return
        if dice < 0.2:
            session.execute(_NOTED)
        session.execute("BEGIN")
        change(session)
        if dice < 0.2:
            session.execute("DROP TEMPORARY TABLE noted")
        session.execute("ROLLBACK" if order.random() < (0.7 if dice < 0.2 else 0.1) else "COMMIT")

    def _global(self, session: Any, order: Random, change: Callable[..., None]) -> None:
        """Run a global transaction; some are decided by another session, and not at once."""
        xid = f"'{uuid.uuid4().hex}'"
        session.execute(f"XA START {xid}")
        change(session)
        session.execute(f"XA END {xid}")
        if order.random() < 0.2:
            session.execute(f"XA COMMIT {xid} ONE PHASE")
            return
        session.execute(f"XA PREPARE {xid}")
        decision = f"XA {'COMMIT' if order.random() < 0.6 else 'ROLLBACK'} {xid}"
        threading.Event().wait(order.choice((0.0, 0.0, 0.1, 1.2)))
        if not self._detaches or order.random() < 0.5:
            session.execute(decision)
            return
        with contextlib.closing(mysql.Application(self.legacy.url)) as other:
            other.execute(decision)


def _done(session: mysql.Application, statement: str) -> bool:
    with contextlib.suppress(MySQLdb.OperationalError):
        session.execute(statement)
        return True
    return False


@contextmanager
def mysql_shop(server: Any, engine: str) -> Iterator[MysqlShop]:
    """The shop on a server."""
    with fresh_database(server) as shop, fresh_database(server) as journal:
        url = sa.make_url(shop.url)
        with contextlib.closing(mysql.Application(url)) as application:
            yield MysqlShop(Legacy(ENGINES[engine], url, application), journal.name)


@contextmanager
def rotating(server: Any, engine: str, seconds: float = 1.0) -> Iterator[None]:
    """Let the log turn to its next file again and again; MariaDB compresses every other file."""
    over = threading.Event()

    def turn() -> None:
        number = 0
        while not over.wait(seconds):
            number += 1
            if engine.startswith("mariadb"):
                server.execute(f"SET GLOBAL log_bin_compress = {number % 2}, GLOBAL log_bin_compress_min_len = 10")
            server.execute("FLUSH BINARY LOGS")

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
