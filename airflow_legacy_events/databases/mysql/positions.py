"""GTID positions of a MySQL or MariaDB server: the transactions that it has executed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import MySQLdb

from airflow_legacy_events.databases.mysql.session import Session, code_of

_UNKNOWN_VARIABLE = 1193
_MYSQL = "SELECT @@server_uuid, DATABASE(), @@GLOBAL.gtid_mode, @@GLOBAL.gtid_executed"
_MARIADB_GTIDS = "@@GLOBAL.gtid_current_pos, @@GLOBAL.gtid_binlog_state"
# Galera nodes number their transactions independently unless wsrep_gtid_mode is on.
_MARIADB = f"SELECT @@server_uid, DATABASE(), {_MARIADB_GTIDS}, @@GLOBAL.wsrep_on, @@GLOBAL.wsrep_gtid_mode"
_WITHOUT_GALERA = f"SELECT @@server_uid, DATABASE(), {_MARIADB_GTIDS}, 0, 0"
_WITHOUT_ID = f"SELECT @@hostname, @@port, @@server_id, DATABASE(), {_MARIADB_GTIDS}, 0, 0"
_MOST = 100
"""Maximum number of GTID sources in a position, with one transaction each. After more failovers, the busiest sources
are kept."""

_OF_MYSQL = re.compile(r"([0-9a-f-]{36}(?::[a-z_][a-z0-9_]{0,31})?):([0-9]{1,19})")
_OF_MARIADB = re.compile(r"([0-9]{1,10})-([0-9]{1,10})-([0-9]{1,20})")


class Executed(Protocol):
    """Transactions that a server has executed."""

    def last(self) -> list[str]:
        """Return the last transaction of each source: the minimum that identifies the server's position."""

    def missing(self, gtids: Sequence[str]) -> list[str]:
        """Return those of `gtids` that the server has not executed. GTIDs that can't be compared are left out."""


class Server(NamedTuple):
    """Server facts; `executed` is None if the server has no GTIDs. MySQL does not say here whether it is in Galera."""

    identity: dict[str, str]
    executed: Executed | None
    is_galera: bool = False


class MysqlExecuted:
    """MySQL GTID set from `gtid_executed`: sources, some with a tag, each with intervals."""

    def __init__(self, text: str) -> None:
        self._intervals: dict[str, list[tuple[int, int]]] = {}
        for part in re.sub(r"\s", "", text.lower()).split(","):
            source, *words = part.split(":")
            key = source
            for word in words:
                low, _, high = word.partition("-")
                if low.isdecimal():
                    self._intervals.setdefault(key, []).append((int(low), int(high or low)))
                else:
                    key = f"{source}:{word}"

    def last(self) -> list[str]:
        """See `Executed`."""
        highest = {source: max(high for _, high in found) for source, found in self._intervals.items()}
        busiest = sorted(highest, key=lambda source: -highest[source])[:_MOST]
        return sorted(f"{source}:{highest[source]}" for source in busiest)

    def missing(self, gtids: Sequence[str]) -> list[str]:
        """See `Executed`."""
        found = [(gtid, match) for gtid in gtids if (match := _OF_MYSQL.fullmatch(gtid))]
        return [gtid for gtid, match in found if not self._holds(match[1], int(match[2]))]

    def _holds(self, source: str, number: int) -> bool:
        return any(low <= number <= high for low, high in self._intervals.get(source, ()))


class MariadbExecuted:
    """MariaDB GTIDs: the last one of each domain, and the last one of each server in the binary log.

    Args:
        current: value of `gtid_current_pos`: what this server wrote under its current server ID, or what it replicated
            if that is further.
        state: value of `gtid_binlog_state`. On a promoted server it includes the last numbers of the other servers,
            even if its own are higher by now.
    """

    def __init__(self, current: str, state: str) -> None:
        self._state = {(domain, server): number for domain, server, number in _parts(state)}
        self._current: dict[int, tuple[int, int]] = {}
        for domain, server, number in sorted(_parts(f"{current},{state}"), key=lambda one: one[2]):
            self._current[domain] = (server, number)

    def last(self) -> list[str]:
        """See `Executed`."""
        return sorted(f"{domain}-{server}-{number}" for domain, (server, number) in self._current.items())[:_MOST]

    def missing(self, gtids: Sequence[str]) -> list[str]:
        """See `Executed`; a domain unknown to the server can't be compared."""
        return [
            gtid for gtid in gtids for domain, server, number in _parts(gtid) if self._lacks(domain, server, number)
        ]

    def _lacks(self, domain: int, server: int, number: int) -> bool:
        if domain not in self._current:
            return False
        last_server, last = self._current[domain]
        return last < number or (last_server != server and self._state.get((domain, server), number) < number)


def _parts(gtids: str) -> list[tuple[int, int, int]]:
    found = (_OF_MARIADB.fullmatch(one.strip()) for one in gtids.split(","))
    return [(int(one[1]), int(one[2]), int(one[3])) for one in found if one]


def read_server(session: Session) -> Server:
    """Return the server's facts: its own ID or, if it has none, its host, port and server ID."""
    if not session.mariadb:
        [(id_, database, mode, executed)] = session.rows(_MYSQL)
        numbered = str(mode).startswith("ON") and executed
        return Server(_identity({"server_uuid": id_}, database), MysqlExecuted(executed) if numbered else None)
    names: tuple[str, ...] = ("server_uid",)
    try:
        row = _first_known(session, _MARIADB, _WITHOUT_GALERA)
    except MySQLdb.OperationalError as error:
        if code_of(error) != _UNKNOWN_VARIABLE:
            raise
        names = ("hostname", "port", "server_id")
        [row] = session.rows(_WITHOUT_ID)
    database, current, state, galera, common = row[len(names) :]
    numbered = current and (galera == "0" or common != "0")
    found = MariadbExecuted(current, state) if numbered else None
    return Server(_identity(dict(zip(names, row, strict=False)), database), found, galera != "0")


def _first_known(session: Session, *statements: str) -> tuple[Any, ...]:
    """Return the row of the first statement whose variables exist on this server."""
    for statement in statements[:-1]:
        try:
            [row] = session.rows(statement)
        except MySQLdb.OperationalError as error:
            if code_of(error) != _UNKNOWN_VARIABLE:
                raise
        else:
            return row
    [row] = session.rows(statements[-1])
    return row


def _identity(found: dict[str, str], database: str | None) -> dict[str, str]:
    return {**found, "database": database} if database else found


def gtids_in(position: Mapping[str, Any]) -> list[str]:
    """Return the GTIDs in a position, even if a person has edited it."""
    found = position.get("gtids")
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
