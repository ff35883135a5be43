"""A session that streams the binlog: its login, its settings, and the command that starts the stream."""

from __future__ import annotations

import re
import secrets
import socket
import uuid
from collections.abc import Mapping
from typing import Any

import pymysql

from airflow_legacy_events.databases.mysql.changelog import dump_commands
from airflow_legacy_events.databases.mysql.changelog.connection import PROGRAM, connect
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.packets import Packets, packed
from airflow_legacy_events.databases.mysql.changelog.places import FIRST_EVENT
from airflow_legacy_events.databases.mysql.session import code_of

END = 0xFE
"""First byte of a packet that ends a stream, and may be that of a longer one."""

_ERROR = 0xFF

_NAMES = ("server_uuid", "server_uid", "server_id", "hostname", "port", "gtid_mode", "version")
_VARIABLES = f"SHOW GLOBAL VARIABLES WHERE Variable_name IN {_NAMES}"
_LONGEST_SECONDS = 86_400 * 365
_SETTINGS = (
    "SET SESSION net_write_timeout = {seconds}, @master_binlog_checksum = 'CRC32', @source_binlog_checksum = 'CRC32',"
    " @mariadb_slave_capability = 4, @slave_uuid = '{uuid}', @replica_uuid = '{uuid}'"
)
_REPLICAS = ("SHOW REPLICAS", "SHOW SLAVE HOSTS")
_DUMPS_BY_GTID_SINCE = (5, 7)
_DENIED, _SYNTAX = 1227, 1064


class DumpSession:
    """One session; it serves one stream, since the server ends it with that.

    Args:
        conn_id: Airflow's name of the connection.
        options: of mysqlclient, from the connection.
        seconds: of silence, behind which the connection counts as lost.

    Attributes:
        variables: of the server, such as `server_uuid`, as texts; those that it does not have are missing.
        packets: of the stream.
    """

    def __init__(self, conn_id: str, options: Mapping[str, Any], seconds: float) -> None:
        self._wire = connect(conn_id, options, seconds)
        try:
            self.variables = {str(name).lower(): str(value) for name, value in self._wire.rows(_VARIABLES)}
            self._wire.rows(_SETTINGS.format(seconds=_LONGEST_SECONDS, uuid=uuid.uuid4()))
        except BaseException:
            self._wire.close()
            raise
        self.packets = Packets(self._wire.receive)

    def server_id(self) -> int:
        """Return an ID that no replica of this server uses: of two streams with one ID the server ends the elder."""
        used = self._used()
        while (found := 2**31 + 1 + secrets.randbelow(2**31 - 1)) in used:
            pass
        return found

    def _used(self) -> set[int]:
        mariadb = "mariadb" in self.variables.get("version", "").lower()
        for statement in _REPLICAS[mariadb:]:
            try:
                return {int(row[0]) for row in self._wire.rows(statement)}
            except pymysql.Error as error:  # without the right to look, chance has to do: 1 in 2,147,483,647
                if code_of(error) == _SYNTAX:
                    continue
                if code_of(error) != _DENIED:
                    raise
        return set()

    def user(self) -> str:
        """Return the user, as in a GRANT."""
        name, _, host = str(self._wire.rows("SELECT CURRENT_USER()")[0][0]).rpartition("@")
        return f"'{name}'@'{host}'"

    def register(self, server_id: int) -> None:
        """Show this session among the replicas of the server.

        Raises:
            pymysql.Error: the user may not.
        """
        self._wire.send(packed(dump_commands.REGISTER, dump_commands.register(server_id, f"{PROGRAM}@{_host()}")))
        self.answer()

    def start(self, place: BinlogPlace, server_id: int) -> None:
        """Start the stream; its packets follow.

        MySQL 5.7 with GTIDs has a command whose position has 64 bits. Others are read from the beginning of a file if
        the place lies behind 4 GiB of it, which only a last, large transaction reaches; see `starts_at`.
        """
        if place.position <= dump_commands.FARTHEST:
            command, body = dump_commands.DUMP, dump_commands.dump(place, server_id)
        elif self.starts_at(place):
            command, body = dump_commands.DUMP_BY_GTID, dump_commands.dump_by_gtid(place, server_id)
        else:
            begin = BinlogPlace(place.file, FIRST_EVENT)
            command, body = dump_commands.DUMP, dump_commands.dump(begin, server_id)
        self._wire.send(packed(command, body))

    def starts_at(self, place: BinlogPlace) -> bool:
        """Return whether the stream starts at a place, not before it."""
        return place.position <= dump_commands.FARTHEST or self._dumps_by_gtid

    @property
    def _dumps_by_gtid(self) -> bool:
        """MySQL 5.6 does not find the end of the log then: `could not find next log`."""
        major, minor = re.findall(r"\d+", self.variables.get("version", "0.0"))[:2]
        return self.variables.get("gtid_mode") == "ON" and (int(major), int(minor)) >= _DUMPS_BY_GTID_SINCE

    def answer(self) -> tuple[bytes, bool]:
        """Return the next packet, or its first part and False.

        Raises:
            pymysql.Error: it is an error of the server, or the connection is lost.
        """
        packet, whole = self.packets.next()
        if packet[0] == _ERROR:
            raise error_in(packet)
        return packet, whole

    def close(self) -> None:
        """Close the session, from any thread."""
        self._wire.close()


def error_in(packet: bytes) -> pymysql.Error:
    """Return the error of an ERR packet: its number (2 bytes), a state of 6 bytes where `#` begins it, and its text."""
    text = packet[9:] if packet[3:4] == b"#" else packet[3:]
    return pymysql.OperationalError(int.from_bytes(packet[1:3], "little"), text.decode("utf-8", "replace"))


def _host() -> str:
    return socket.gethostname()
