"""A connection that was just opened, made one that writes; and what its server is."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import MySQLdb

from airflow_legacy_events.databases.mysql.session import code_of
from airflow_legacy_events.databases.mysql.target.settings import of_writing

_OLD_INDEXES = {True: (10, 2, 2), False: (5, 7)}
_JSON_SINCE = {True: (10, 2, 7), False: (5, 7, 8)}
_OWN_NO_PAD_SINCE = (8, 0, 17)
_UNKNOWN_VARIABLE = 1193


class Server(NamedTuple):
    """The server of a writing session.

    Attributes:
        version: of it.
        mariadb: whether it is MariaDB.
        user: as `CURRENT_USER()` has it.
        packet: most bytes of a statement.
    """

    version: tuple[int, ...] = ()
    mariadb: bool = False
    user: str = ""
    packet: int = 2**20

    @property
    def exact(self) -> str:
        """Collation that takes no two texts for one, as far as the server has one."""
        if self.mariadb:
            return "utf8mb4_nopad_bin"
        return "utf8mb4_0900_bin" if self.version >= _OWN_NO_PAD_SINCE else "utf8mb4_bin"

    @property
    def is_old(self) -> bool:
        """Whether its indexes take 767 bytes."""
        return self.version < _OLD_INDEXES[self.mariadb]

    @property
    def has_json(self) -> bool:
        """Whether it has a type for JSON."""
        return self.version >= _JSON_SINCE[self.mariadb]


def settle(driver: Any, seconds: float) -> Server:
    """Give a session its settings, and return what its server is.

    Rows are locked without the gaps between them; a server that logs statements refuses that.

    Args:
        driver: the connection.
        seconds: time limit of a statement.

    Raises:
        MySQLdb.Error: the server refuses.
    """
    with driver.cursor() as cursor:
        cursor.execute("SELECT VERSION(), CURRENT_USER(), @@max_allowed_packet")
        [(text, user, packet)] = cursor.fetchall()
        mariadb = "mariadb" in text.lower()
        version = tuple(map(int, re.findall(r"\d+", text.removeprefix("5.5.5-"))[:3]))
        found = of_writing(version, seconds, mariadb=mariadb)
        cursor.execute(f"SET {', '.join(f'SESSION {name} = %s' for name in found)}", tuple(found.values()))
        level = "REPEATABLE READ" if _logs_statements(cursor) else "READ COMMITTED"
        cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}, READ WRITE")
    driver.commit()
    return Server(version, mariadb, str(user), int(packet))


def _logs_statements(cursor: Any) -> bool:
    try:
        cursor.execute("SELECT @@binlog_format")
    except MySQLdb.Error as error:
        if code_of(error) != _UNKNOWN_VARIABLE:
            raise
        return False
    [(found,)] = cursor.fetchall()
    return str(found) == "STATEMENT"
