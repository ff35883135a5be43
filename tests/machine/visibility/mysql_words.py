"""Tables of the visibility machine, and the statements of its writers, for MariaDB and MySQL."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import MySQLdb

from tests.machine.visibility.words import Written
from tests.support.legacy import Legacy

_LOCK_WAIT = 1205


class MysqlWords:
    """A table whose trigger can be made to wait; see `PostgresWords`."""

    tables: ClassVar[Sequence[Written]] = (
        Written("plain", ("plain",), {"id": "bounded", "at": "bounded", "said": "bounded"}),
    )
    attached = False
    tick = "said < NOW(0)"
    begins: ClassVar[Sequence[str]] = ("START TRANSACTION", "START TRANSACTION WITH CONSISTENT SNAPSHOT", "BEGIN")
    gone: ClassVar[Sequence[type[Exception]]] = (MySQLdb.OperationalError,)
    shares: ClassVar[Mapping[str, float]] = {"run": 0.025, "look": 0.01, "end": 0.03, "write": 0.935}
    named: ClassVar[str | None] = "XA START '{}'"
    shuffled = "RAND()"
    take: ClassVar[str | None] = None
    close_gate, open_gate = "SELECT GET_LOCK(%s, 20)", "SELECT RELEASE_LOCK(%s)"
    through = "SELECT RELEASE_ALL_LOCKS()"
    waits = "SELECT 1 FROM information_schema.processlist WHERE state = 'User lock' AND id = %s"
    number = "SELECT CONNECTION_ID()"
    kill, there = "KILL %s", "SELECT 1 FROM information_schema.processlist WHERE id = %s"
    prepares: ClassVar[Sequence[str]] = ("XA END '{}'", "XA PREPARE '{}'")
    ends: ClassVar[Sequence[str]] = ("XA COMMIT '{}'", "XA ROLLBACK '{}'")

    def make(self, legacy: Legacy) -> None:
        """See `PostgresWords`."""
        now = "CURRENT_TIMESTAMP(6)"
        at = f"at TIMESTAMP(6) NOT NULL DEFAULT {now} ON UPDATE {now}"
        said = "said DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"
        columns = f"id BIGINT AUTO_INCREMENT PRIMARY KEY, n INT NOT NULL, {at}, {said}, gate VARCHAR(99), KEY (at)"
        legacy.execute(f"CREATE TABLE plain ({columns}) ENGINE=InnoDB")
        wait = "IF NEW.gate IS NOT NULL THEN SELECT GET_LOCK(NEW.gate, 20) INTO @got; END IF"
        legacy.execute(f"CREATE TRIGGER waits BEFORE INSERT ON plain FOR EACH ROW BEGIN {wait}; END")

    def set_up(self, connection: Any, number: int) -> None:
        """See `PostgresWords`."""
        connection.execute("SET time_zone = '+00:00', innodb_lock_wait_timeout = 2")

    def gate(self, number: int, database: str) -> Any:
        """See `PostgresWords`; these locks are those of the server."""
        return f"{database} {number}"

    def gated(self, rng: random.Random, table: Written, numbers: Sequence[int], gate: Any) -> tuple[str, list[Any]]:
        """See `PostgresWords`."""
        first, second = numbers
        match rng.randrange(3):
            case 0:
                wait = "SELECT GET_LOCK(%s, 20) AS got"
                return f"INSERT INTO {table.name} (n) SELECT %s FROM ({wait}) AS gate WHERE got = 1", [first, gate]
            case 1:
                return f"INSERT INTO {table.name} (n, gate) VALUES (%s, %s)", [first, gate]
            case _:
                return f"INSERT INTO {table.name} (n, gate) VALUES (%s, NULL), (%s, %s)", [first, second, gate]

    def waited(self, error: Exception) -> bool:
        """See `PostgresWords`; InnoDB locks more than the rows that were written, after a restart for instance."""
        return isinstance(error, MySQLdb.OperationalError) and error.args[0] == _LOCK_WAIT

    def in_parts(self, numbers: Sequence[int], gate: Any) -> tuple[str, list[Any]] | None:
        """See `PostgresWords`."""
        return None


class MariadbWords(MysqlWords):
    """The same, where a session keeps what it prepared."""

    attached = True
